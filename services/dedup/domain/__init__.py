"""The pure part of dedup: what two complaints have in common, and what belongs together. No I/O."""
