"""Where units of work run: units in, what they return out, in order."""
