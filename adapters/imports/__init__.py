"""Other systems' history: tables, activity logs, help desks, contract files, holidays; each becomes messages."""
