"""HTTP endpoints for the browser; every parameter is validated."""
