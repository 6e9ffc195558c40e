"""Knowledge of text for the stages: languages, domains, tokens, code, personal data."""
