"""What the stages know of text."""
