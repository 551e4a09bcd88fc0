"""SGLang: how the server is launched, for production and, with a tiny model, for tests on a CPU."""
