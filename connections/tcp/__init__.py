"""Two TCP ports, one for microphones and one for loudspeakers."""
