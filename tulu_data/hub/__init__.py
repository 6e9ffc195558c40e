"""The Hugging Face Hub: reading from it, and writing to it."""
