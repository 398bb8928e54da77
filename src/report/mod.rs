//! What people and programs read: one file per kind of report. Nothing here prints.

pub mod diagnostics;
