//! "Did you mean …?"

/// The candidate that `written` is most likely a misspelling of, if any is close enough.
pub(crate) fn nearest<'a>(written: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let plain =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let wanted = plain(written);
    let close = |distance: usize, length: usize| distance <= (length / 3).max(1);
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| close(*distance, candidate.len().max(wanted.len())))
        .min()
        .map(|(_, candidate)| candidate)
}
