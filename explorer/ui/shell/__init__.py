"""What surrounds every page: navigation, sidebar, jobs, and the link to the shortlist."""
