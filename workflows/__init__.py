"""Order of steps, timers, signals and updates; nothing else. All side effects are activities."""
