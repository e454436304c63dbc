"""What the system tests share: machines, mail systems on them, name servers, and patience with a deadline."""
