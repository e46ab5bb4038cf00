"""Fakes and contracts for new engines and connections. Nothing here is a mock: the fakes are small
engines written by hand, for timing and faults; the contracts run against every real engine."""
