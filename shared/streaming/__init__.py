"""Between the services: relay, consumers, catch-up, parking. Nothing lost, nothing twice, nothing stuck."""
