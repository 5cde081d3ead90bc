"""What stands round every page: navigation, sidebar, jobs, the shelf of picks."""
