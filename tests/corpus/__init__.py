"""Small inputs that once stopped a study, lost a file or misled: each file says what is done and what it must give."""
