"""What models are tested on: evaluation sets, their items, and the index that rows are held against."""
