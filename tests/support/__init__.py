"""What tests share: named examples, histories and messages in a few words, private servers, given/when/then."""
