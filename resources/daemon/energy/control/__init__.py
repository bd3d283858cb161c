"""The house acts: readings become samples for the rules, what the rules decide is carried out and told."""
