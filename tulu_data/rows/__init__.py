"""What a row is: its columns, its texts and its identity."""
