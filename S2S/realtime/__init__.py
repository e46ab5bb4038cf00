"""Another server of the OpenAI Realtime protocol as the model."""
