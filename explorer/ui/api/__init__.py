"""What the browser asks for by itself; every parameter is validated."""
