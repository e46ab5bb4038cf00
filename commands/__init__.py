"""Commands: flags that do something other than talk. Each module has a function of its own name, from
`Arguments` to an exit code."""
