//! Which columns are published: what was declared, checked against what there is.

use super::declaration::{Declaration, Visibility};
use super::report::{ColumnDecision, PublishError};
use crate::formats::{ColumnRole, ExtraColumn};
use crate::schema::{COLUMNS, Column, extra_name};

/// The columns of the shape that can be kept private: they stay, and are empty.
const MAY_BE_PRIVATE: [Column; 3] = [Column::Explanation, Column::AnnotatorId, Column::Language];

/// Something that tells people apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identifying {
    /// The column at this place among those that come along.
    Extra(usize),
    /// The language of the conversation.
    Language,
}

/// What is published of each comparison.
#[derive(Debug)]
pub(super) struct Columns {
    /// The positions of what is published in the whole schema.
    pub(super) projection: Vec<usize>,
    /// For each column that comes along, whether it is published.
    pub(super) shows_extra: Vec<bool>,
    pub(super) hides_explanations: bool,
    pub(super) hides_annotators: bool,
    pub(super) hides_languages: bool,
    /// What tells people apart, the most important first.
    pub(super) identifying: Vec<(Identifying, String)>,
    pub(super) decisions: Vec<ColumnDecision>,
}

impl Columns {
    /// Those of a dataset with these columns that come along.
    ///
    /// # Errors
    /// When something is declared that is not there or must be published, or something must be declared and is not.
    pub(super) fn resolve(
        extra: &[ExtraColumn],
        declaration: &Declaration,
    ) -> Result<Self, PublishError> {
        let names: Vec<String> = extra.iter().map(|column| extra_name(&column.name)).collect();
        let find = |name: &str| {
            names.iter().zip(extra).position(|(own, column)| own == name || column.name == name)
        };
        let of_shape = |name: &str| COLUMNS.iter().find(|(_, own, _)| *own == name).map(|c| c.0);
        let unknown = |name: &str| {
            let known = MAY_BE_PRIVATE.iter().map(|c| c.name());
            let known = known.chain(names.iter().map(String::as_str));
            let near = known.map(|known| (strsim::jaro_winkler(name, known), known));
            let near = near.filter(|(similarity, _)| *similarity > 0.8);
            PublishError::UnknownColumn {
                column: name.to_owned(),
                nearest: near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name.to_owned()),
            }
        };
        let mut declared = vec![None; extra.len()];
        let mut hidden = Vec::new();
        for (name, visibility) in &declaration.columns {
            // A column that comes along may have the name of one of the shape: it is meant then only by its own.
            match (find(name), of_shape(name)) {
                (Some(i), _) => declared[i] = Some(*visibility),
                (None, Some(_)) if *visibility == Visibility::Public => {}
                (None, Some(column)) if MAY_BE_PRIVATE.contains(&column) => hidden.push(column),
                (None, Some(_)) => return Err(PublishError::MustBePublic(name.clone())),
                (None, None) => return Err(unknown(name)),
            }
        }
        if declaration.privacy.strict {
            let missing = names.iter().zip(&declared).filter(|(_, declared)| declared.is_none());
            let missing: Vec<String> = missing.map(|(name, _)| name.clone()).collect();
            if !missing.is_empty() {
                return Err(PublishError::Undeclared(missing));
            }
        }
        let is_public: Vec<bool> = extra
            .iter()
            .zip(&declared)
            .map(|(column, declared)| {
                declared.unwrap_or(by_default(column.role)) == Visibility::Public
            })
            .collect();
        let own = COLUMNS.iter().map(|(column, ..)| *column as usize);
        let own = own.filter(|i| *i != Column::Line as usize);
        let along = (0..extra.len()).filter(|i| is_public[*i]).map(|i| COLUMNS.len() + i);
        let mut identifying = Vec::new();
        for name in &declaration.privacy.importance {
            match (find(name), of_shape(name)) {
                (Some(i), _) if is_public[i] => {
                    identifying.push((Identifying::Extra(i), names[i].clone()));
                }
                (None, Some(Column::Language)) => {
                    identifying.push((Identifying::Language, name.clone()));
                }
                // What is private tells nobody apart.
                (Some(_), _) => {}
                (None, _) => return Err(unknown(name)),
            }
        }
        for (i, column) in extra.iter().enumerate() {
            let about_people = matches!(column.role, ColumnRole::Country | ColumnRole::Demographic);
            let known = identifying.iter().any(|(at, _)| *at == Identifying::Extra(i));
            if is_public[i] && about_people && !known {
                identifying.push((Identifying::Extra(i), names[i].clone()));
            }
        }
        let decisions = (0..extra.len()).map(|i| ColumnDecision {
            name: names[i].clone(),
            role: extra[i].role.id(),
            visibility: if is_public[i] { Visibility::Public } else { Visibility::Private },
            declared: declared[i].is_some(),
        });
        let hides = |column: Column| hidden.contains(&column);
        let of_shape = MAY_BE_PRIVATE.iter().filter(|column| hides(**column));
        let of_shape = of_shape.map(|column| ColumnDecision {
            name: column.name().to_owned(),
            role: "shape",
            visibility: Visibility::Private,
            declared: true,
        });
        Ok(Self {
            projection: own.chain(along).collect(),
            decisions: of_shape.chain(decisions).collect(),
            shows_extra: is_public,
            hides_explanations: hides(Column::Explanation),
            hides_annotators: hides(Column::AnnotatorId),
            hides_languages: hides(Column::Language),
            identifying,
        })
    }
}

/// What is not declared is private, but for what says how the collection went and nothing about a person.
fn by_default(role: ColumnRole) -> Visibility {
    match role {
        ColumnRole::Wave | ColumnRole::PromptOrigin => Visibility::Public,
        ColumnRole::Country | ColumnRole::Demographic | ColumnRole::Group | ColumnRole::Other => {
            Visibility::Private
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extra() -> Vec<ExtraColumn> {
        let names = ["wave", "annotator_age", "annotator_country", "note", "turn"];
        let column =
            |name: &&str| ExtraColumn { name: (*name).to_owned(), role: ColumnRole::guess(name) };
        names.iter().map(column).collect()
    }

    fn resolve(toml: &str) -> Result<Columns, PublishError> {
        Columns::resolve(&extra(), &Declaration::from_toml(toml).unwrap())
    }

    fn public(columns: &Columns) -> Vec<&str> {
        let public = columns.decisions.iter().filter(|d| d.visibility == Visibility::Public);
        public.map(|d| d.name.as_str()).collect()
    }

    #[test]
    fn what_is_not_declared_about_a_person_is_private() {
        let columns = resolve("").unwrap();
        assert_eq!(public(&columns), ["wave"]);
        assert!(!columns.projection.contains(&(Column::Line as usize)));
        assert!(columns.identifying.is_empty());
    }

    #[test]
    fn declared_columns_are_public_and_the_important_ones_first() {
        let toml = "[columns]\nannotator_age = 'public'\nannotator_country = 'public'\nextra_turn = 'public'\n\
                    explanation = 'private'\nprompt = 'public'\n\
                    [privacy]\nimportance = ['annotator_country', 'language', 'note']";
        let columns = resolve(toml).unwrap();
        assert_eq!(public(&columns), ["wave", "annotator_age", "annotator_country", "extra_turn"]);
        let order: Vec<&str> = columns.identifying.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(order, ["annotator_country", "language", "annotator_age"]);
        assert!(columns.hides_explanations && !columns.hides_languages);
    }

    #[test]
    fn what_is_not_there_or_cannot_be_is_an_error_that_helps() {
        fn check(toml: &str, expected: &str) {
            let error = resolve(toml).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        check(
            "[columns]\nanotator_age = 'public'",
            "`anotator_age`, which is no column; is it `annotator_age`?",
        );
        check("[columns]\nzzz = 'public'", "`zzz`, which is no column");
        check("[columns]\nprompt = 'private'", "`prompt` cannot be private");
        check("[privacy]\nimportance = ['age']", "`age`");
        check(
            "[privacy]\nstrict = true\n[columns]\nwave = 'public'",
            "`annotator_age`, `annotator_country`, `note`",
        );
    }

    #[test]
    fn unknown_keys_are_errors() {
        for toml in [
            "[column]\n",
            "[privacy]\nmincell = 3",
            "[card]\nlicence = 'mit'",
            "[columns]\na = 'secret'",
        ] {
            assert!(Declaration::from_toml(toml).is_err(), "{toml}");
        }
    }
}
