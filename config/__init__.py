"""Settings, ways in and the supervisor of the development servers."""
