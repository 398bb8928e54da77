//! Where a secret stands in a text, however it is written there.
//!
//! Invariants: each character may be written in another way, as several layers of encoding leave it; a long beginning counts
//! like the whole, since services cut short what they quote.

use zeroize::Zeroizing;

/// So many characters of a secret give it away even if the rest is cut off.
const TELLING: usize = 16;
/// How deep quotations are nested: each layer doubles the backslashes.
const LAYERS: usize = 3;

/// A part of a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Where the secret stands plain or escaped. `as_word`: only where no letter or digit touches it.
pub(super) fn plain(text: &str, secret: &str, as_word: bool) -> Vec<Span> {
    let touches = |next: Option<char>| as_word && next.is_some_and(char::is_alphanumeric);
    let mut spans = found(text, secret, written);
    spans.retain(|span| {
        let (before, after) = (text.get(..span.start), text.get(span.end..));
        !touches(before.and_then(|text| text.chars().next_back()))
            && !touches(after.and_then(|text| text.chars().next()))
    });
    spans
}

/// Where Base64 of the secret stands, in either alphabet, with the characters beside it that hold some of its bits.
pub(super) fn base64(text: &str, own: &str) -> Vec<Span> {
    let mut spans = found(text, own, |text, at, wanted| match wanted {
        '+' => [written(text, at, '+'), written(text, at, '-')].concat(),
        '/' => [written(text, at, '/'), written(text, at, '_')].concat(),
        other => written(text, at, other),
    });
    let digit = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte));
    let bytes = text.as_bytes();
    for Span { start, end } in &mut spans {
        *start -= usize::from(*start > 0 && digit(bytes.get(start.wrapping_sub(1))));
        *end += usize::from(digit(bytes.get(*end)));
    }
    spans
}

/// Where all characters of a needle stand one after the other. `ways` tells where each may end that begins at a place.
fn found(text: &str, needle: &str, ways: impl Fn(&str, usize, char) -> Vec<usize>) -> Vec<Span> {
    let needle = Zeroizing::new(needle.chars().collect::<Vec<char>>());
    let mut spans: Vec<Span> = Vec::new();
    for (start, _) in text.char_indices() {
        let Some(first) = needle.first() else { break };
        let mut ends = ways(text, start, *first);
        if ends.is_empty() {
            continue;
        }
        let mut matched = 1;
        for wanted in needle.iter().skip(1) {
            let mut next: Vec<usize> = ends.iter().flat_map(|at| ways(text, *at, *wanted)).collect();
            next.sort_unstable();
            next.dedup();
            if next.is_empty() {
                break;
            }
            (ends, matched) = (next, matched + 1);
        }
        let enough = matched == needle.len() || matched >= TELLING;
        if let Some(end) = ends.iter().max().filter(|_| enough) {
            spans.push(Span { start, end: *end });
        }
    }
    spans
}

/// Where a character may end that begins at a place of a text: itself, or escaped.
fn written(text: &str, at: usize, wanted: char) -> Vec<usize> {
    let Some(rest) = text.get(at..) else { return Vec::new() };
    let mut ends = Vec::new();
    let mut take = |form: &str| {
        if let Some(head) = rest.get(..form.len())
            && head.eq_ignore_ascii_case(form)
        {
            ends.push(at + form.len());
        }
    };
    match rest.as_bytes().first() {
        Some(b'%') => percent(wanted).iter().for_each(|form| take(form)),
        Some(b'\\') => json(wanted).iter().for_each(|form| take(form)),
        Some(b'&') => html(wanted).iter().for_each(|form| take(form)),
        Some(b'+') if wanted == ' ' => take("+"),
        _ => {}
    }
    if rest.starts_with(wanted) {
        ends.push(at + wanted.len_utf8());
    }
    ends
}

/// `%20`, and `%2520` where it was encoded twice.
fn percent(wanted: char) -> [String; 2] {
    let mut bytes = [0; 4];
    let bytes = wanted.encode_utf8(&mut bytes).bytes();
    let once: String = bytes.map(|byte| format!("%{byte:02x}")).collect();
    let twice = once.replace('%', "%25");
    [once, twice]
}

/// `\n`, `\"`, `\u00e9`, with the backslash doubled for each layer of quotation.
fn json(wanted: char) -> Vec<String> {
    let mut units = [0; 2];
    let units: Vec<String> = wanted.encode_utf16(&mut units).iter().map(|unit| format!("u{unit:04x}")).collect();
    let short = match wanted {
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        '\u{8}' => Some('b'),
        '\u{c}' => Some('f'),
        '"' | '/' | '\'' => Some(wanted),
        _ => None,
    };
    let mut forms = Vec::new();
    for layer in 0..LAYERS {
        let slashes = "\\".repeat(1 << layer);
        forms.push(units.iter().map(|unit| format!("{slashes}{unit}")).collect());
        forms.extend(short.map(|short| format!("{slashes}{short}")));
        // A quote that was escaped, and then both escaped.
        forms.extend(short.filter(|_| layer > 0).map(|short| format!("{slashes}\\{short}")));
        if wanted == '\\' {
            forms.push(format!("{slashes}{slashes}"));
        }
    }
    forms
}

/// `&amp;`, `&#38;`, `&#x26;`.
fn html(wanted: char) -> Vec<String> {
    let code = u32::from(wanted);
    let name = match wanted {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&apos;"),
        _ => None,
    };
    let mut forms = vec![format!("&#{code};"), format!("&#x{code:x};")];
    forms.extend(name.map(str::to_owned));
    forms
}
