//! The settings: one file or folder each, and the little that they share.
