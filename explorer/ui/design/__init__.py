"""The Design page: conditions and wishes, twelve designs, and one that can be grabbed."""
