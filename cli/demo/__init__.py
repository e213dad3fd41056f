"""The demo: six bots, a simulated exchange, a worker that is killed, and an audit of what came of it."""
