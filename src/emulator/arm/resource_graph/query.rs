//! The part of Kusto that is served: a pipeline of `where`, `extend`, `mv-expand`, `project`, `order by` and `limit` over
//! `resources`.
//!
//! What must stay true: what isn't served is an error that names it, never an empty answer.

use serde_json::{Map, Value, json};

/// A query, taken apart.
#[derive(Debug, PartialEq)]
pub(super) struct Query(Vec<Step>);

#[derive(Debug, PartialEq)]
enum Step {
    /// The path's text is one of these; without regard to case, if so asked.
    Where(Term, Vec<String>, bool),
    /// Columns more.
    Extend(Vec<(String, Term)>),
    /// One row for each item of a list, under a name. A row without items is left out.
    Expand(String, Term),
    /// These columns only.
    Project(Vec<(String, Term)>),
    /// By a column's text, descending if so asked.
    Order(Term, bool),
    /// So many rows.
    Limit(usize),
}

/// A path into a row, maybe as text, maybe in lower case.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    path: Vec<String>,
    text: bool,
    lower: bool,
}

impl Term {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        for (name, lower) in [("tostring(", false), ("tolower(", true)] {
            if let Some(inner) = text.strip_prefix(name).and_then(|rest| rest.strip_suffix(')')) {
                let inner = Self::parse(inner)?;
                return Ok(Self { path: inner.path, text: true, lower: lower || inner.lower });
            }
        }
        let path: Vec<String> = text.split('.').map(str::to_owned).collect();
        let is_word = |word: &String| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
        if path.iter().all(is_word) {
            return Ok(Self { path, text: false, lower: false });
        }
        Err(format!("`{text}` isn't a column"))
    }

    fn value(&self, row: &Value) -> Value {
        let found = self.path.iter().try_fold(row, |value, member| value.get(member)).unwrap_or(&Value::Null);
        let text = match found {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        match (self.text, self.lower) {
            (_, true) => json!(text.to_lowercase()),
            (true, _) => json!(text),
            _ => found.clone(),
        }
    }

    fn text(&self, row: &Value) -> String {
        self.value(row).as_str().unwrap_or_default().to_owned()
    }
}

impl Query {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = pieces(text, '|')?.into_iter();
        match parts.next().as_deref().map(str::trim) {
            Some(table) if table.eq_ignore_ascii_case("resources") => {}
            other => return Err(format!("the table `{}` isn't served", other.unwrap_or_default())),
        }
        parts.map(|part| step(part.trim())).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn run(&self, rows: impl Iterator<Item = Value>) -> Result<Vec<Value>, String> {
        let mut rows: Vec<Value> = rows.collect();
        for step in &self.0 {
            rows = apply(step, rows);
        }
        Ok(rows)
    }
}

fn apply(step: &Step, mut rows: Vec<Value>) -> Vec<Value> {
    match step {
        Step::Where(term, texts, fold) => {
            let equal = |one: &str, other: &str| if *fold { one.eq_ignore_ascii_case(other) } else { one == other };
            rows.retain(|row| texts.iter().any(|text| equal(&term.text(row), text)));
        }
        Step::Extend(columns) => {
            for row in &mut rows {
                for (name, term) in columns {
                    row[name.as_str()] = term.value(row);
                }
            }
        }
        Step::Expand(name, term) => {
            let each = |row: &Value| {
                let items = term.value(row).as_array().cloned().unwrap_or_default();
                let under = |item| {
                    let mut row = row.clone();
                    row[name.as_str()] = item;
                    row
                };
                items.into_iter().map(under).collect::<Vec<_>>()
            };
            rows = rows.iter().flat_map(each).collect();
        }
        Step::Project(columns) => {
            let narrow = |row: &Value| {
                columns.iter().map(|(name, term)| (name.clone(), term.value(row))).collect::<Map<_, _>>().into()
            };
            rows = rows.iter().map(narrow).collect();
        }
        Step::Order(term, descending) => {
            rows.sort_by_key(|row| term.text(row));
            if *descending {
                rows.reverse();
            }
        }
        Step::Limit(count) => rows.truncate(*count),
    }
    rows
}

fn step(text: &str) -> Result<Step, String> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    match word.to_ascii_lowercase().as_str() {
        "where" => condition(rest),
        "extend" => Ok(Step::Extend(columns(rest)?)),
        "project" => Ok(Step::Project(columns(rest)?)),
        "mv-expand" => {
            let (name, term) = column(rest.strip_prefix("kind=array").unwrap_or(rest).trim())?;
            Ok(Step::Expand(name, term))
        }
        "order" | "sort" => {
            let by = rest.strip_prefix("by ").ok_or_else(|| format!("`{text}` isn't served"))?.trim();
            let (column, way) = by.split_once(' ').unwrap_or((by, "desc"));
            Ok(Step::Order(Term::parse(column)?, !way.trim().eq_ignore_ascii_case("asc")))
        }
        "limit" | "take" => rest.parse().map(Step::Limit).map_err(|_| format!("`{rest}` isn't a number")),
        other => Err(format!("the operator `{other}` isn't served")),
    }
}

fn condition(text: &str) -> Result<Step, String> {
    for (operator, fold) in [(" in~ ", true), (" in ", false), (" in~(", true), (" in(", false)] {
        if let Some((column, list)) = text.split_once(operator) {
            let list = list.trim().trim_start_matches('(').strip_suffix(')').ok_or("a list has no end")?;
            let texts = pieces(list, ',')?.iter().map(|item| literal(item)).collect::<Result<_, _>>()?;
            return Ok(Step::Where(Term::parse(column)?, texts, fold));
        }
    }
    for (operator, fold) in [("=~", true), ("==", false)] {
        if let Some((column, value)) = text.split_once(operator) {
            return Ok(Step::Where(Term::parse(column)?, vec![literal(value)?], fold));
        }
    }
    Err(format!("the condition `{text}` isn't served"))
}

fn columns(text: &str) -> Result<Vec<(String, Term)>, String> {
    pieces(text, ',')?.iter().map(|part| column(part)).collect()
}

/// `name = term`, or a path that is named by its last word.
fn column(text: &str) -> Result<(String, Term), String> {
    match text.split_once('=') {
        Some((name, term)) => Ok((name.trim().to_owned(), Term::parse(term)?)),
        None => {
            let term = Term::parse(text)?;
            Ok((term.path.join("_"), term))
        }
    }
}

fn literal(text: &str) -> Result<String, String> {
    let text = text.trim();
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let inner = quote.and_then(|q| text.strip_prefix(q)?.strip_suffix(q));
    inner.map(str::to_owned).ok_or_else(|| format!("`{text}` isn't a text in quotes"))
}

/// Splits at a character that stands neither in quotes nor in brackets.
fn pieces(text: &str, at: char) -> Result<Vec<String>, String> {
    let (mut parts, mut part, mut quote, mut depth) = (Vec::new(), String::new(), None, 0_i32);
    for c in text.chars() {
        match (quote, c) {
            (Some(q), _) if q == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, _) if c == at && depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if quote.is_some() || depth != 0 {
        return Err("a quote or a bracket has no end".to_owned());
    }
    parts.push(part);
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_runs_over_rows() {
        let rows = [
            json!({ "id": "/b", "type": "x/y", "properties": { "list": [{ "id": "1" }, { "id": "2" }] } }),
            json!({ "id": "/a", "type": "X/Y", "properties": { "list": [] } }),
            json!({ "id": "/c", "type": "z", "properties": {} }),
        ];
        let cases = [
            ("resources | where type =~ 'X/Y' | order by id asc | project id", json!([{ "id": "/a" }, { "id": "/b" }])),
            (
                "resources | mv-expand item = properties.list | project id, item = tostring(item.id) | limit 1",
                json!([{ "id": "/b", "item": "1" }]),
            ),
            (
                "resources | where type == 'x/y' | extend n = properties.list | project n",
                json!([{ "n": [{ "id": "1" }, { "id": "2" }] }]),
            ),
        ];
        for (text, expected) in cases {
            let found = Query::parse(text).and_then(|query| query.run(rows.clone().into_iter()));
            assert_eq!(found.map(Value::Array), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_served_is_named() {
        for text in [
            "",
            "securityresources",
            "resources | summarize count()",
            "resources | where id has 'x'",
            "resources | project 'a",
        ] {
            assert!(Query::parse(text).is_err(), "{text}");
        }
    }
}
