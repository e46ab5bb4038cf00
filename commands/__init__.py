"""Commands: flags that do something other than talk. Each module has a function of its own name, which
takes `Arguments` and returns an exit code."""
