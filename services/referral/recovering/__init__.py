"""How referral recovers from a lost tail of its log: what follows from the events that were adopted."""
