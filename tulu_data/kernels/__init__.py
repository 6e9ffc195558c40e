"""Arrays and numbers in, arrays and numbers out. Nothing here knows of this project."""
