"""The referral-criteria rule tables as data, and what reads and checks them (`table`)."""
