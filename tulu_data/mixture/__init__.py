"""What a build leaves, and what reads it: the layout is the one thing that writers and readers share."""
