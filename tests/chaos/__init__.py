"""The chaos run: bots that trade live on the simulator while everything around them fails. See docs/chaos.md."""
