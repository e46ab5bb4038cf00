"""Who is told what happens in a session: the terminal, machines that read JSON, the log."""
