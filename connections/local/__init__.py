"""The local connection: this machine's microphone and loudspeaker."""
