"""The chart's forms. They check what was typed; what the record allows is the store's to say."""
