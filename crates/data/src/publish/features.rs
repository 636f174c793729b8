//! What the columns of a published table are: as `datasets` writes it in YAML, and as Croissant names it.

use super::yaml::Yaml;
use datafusion::arrow::datatypes::{DataType, Field, Schema};

/// The type of a column, as far as this program writes any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Feature {
    Value(Value),
    List(Box<Feature>),
    Struct(Vec<(String, Feature)>),
}

/// The type of a single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Text,
    Bool,
    U32,
    U64,
    F64,
}

impl Value {
    fn dtype(self) -> &'static str {
        match self {
            Value::Text => "string",
            Value::Bool => "bool",
            Value::U32 => "uint32",
            Value::U64 => "uint64",
            Value::F64 => "float64",
        }
    }

    /// The data type of Croissant, shortened by its context.
    pub(super) fn croissant(self) -> &'static str {
        match self {
            Value::Text => "sc:Text",
            Value::Bool => "sc:Boolean",
            Value::U32 => "cr:UInt32",
            Value::U64 => "cr:UInt64",
            Value::F64 => "cr:Float64",
        }
    }
}

impl Feature {
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Feature::Value(Value::Bool),
            DataType::UInt32 => Feature::Value(Value::U32),
            DataType::UInt64 => Feature::Value(Value::U64),
            DataType::Float64 => Feature::Value(Value::F64),
            DataType::List(item) => Feature::List(Box::new(Feature::of(item.data_type()))),
            DataType::Struct(fields) => {
                let field = |field: &std::sync::Arc<Field>| {
                    (field.name().clone(), Feature::of(field.data_type()))
                };
                Feature::Struct(fields.iter().map(field).collect())
            }
            _ => Feature::Value(Value::Text),
        }
    }

    /// The type for people: `list of {role: string, content: string}`.
    pub(super) fn in_words(&self) -> String {
        match self {
            Feature::Value(value) => value.dtype().to_owned(),
            Feature::List(item) => format!("list of {}", item.in_words()),
            Feature::Struct(fields) => {
                let fields = fields.iter().map(|(name, f)| format!("{name}: {}", f.in_words()));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The entry that says the type, beside `name`.
    fn entry(&self) -> (String, Yaml) {
        match self {
            Feature::Value(value) => ("dtype".to_owned(), Yaml::text(value.dtype())),
            Feature::Struct(fields) => ("struct".to_owned(), named(fields)),
            Feature::List(item) => {
                let item = match &**item {
                    Feature::Value(value) => Yaml::text(value.dtype()),
                    Feature::Struct(fields) => named(fields),
                    Feature::List(_) => Yaml::Map(vec![item.entry()]),
                };
                ("list".to_owned(), item)
            }
        }
    }
}

fn named(fields: &[(String, Feature)]) -> Yaml {
    let field = |(name, feature): &(String, Feature)| {
        Yaml::Map(vec![("name".to_owned(), Yaml::text(name)), feature.entry()])
    };
    Yaml::List(fields.iter().map(field).collect())
}

/// The columns of a table with their types.
pub(super) fn features(schema: &Schema) -> Vec<(String, Feature)> {
    let fields = schema.fields().iter();
    fields.map(|field| (field.name().clone(), Feature::of(field.data_type()))).collect()
}

/// The same as `datasets` writes it in `dataset_info`.
pub(super) fn yaml(features: &[(String, Feature)]) -> Yaml {
    named(features)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::yaml::document;

    #[test]
    fn types_stand_as_the_library_writes_them() {
        let full = crate::schema::schema(&[]);
        let wanted =
            ["turn", "history", "candidates", "chosen", "candidate_words", "begins_record"];
        let all = features(&full);
        let some: Vec<_> =
            all.into_iter().filter(|(name, _)| wanted.contains(&name.as_str())).collect();
        // As `datasets` 5.2.0 writes the same features.
        let expected = "\
features:
- name: turn
  dtype: uint32
- name: history
  list:
  - name: role
    dtype: string
  - name: content
    dtype: string
- name: candidates
  list:
  - name: id
    dtype: string
  - name: text
    dtype: string
  - name: source
    dtype: string
  - name: model
    dtype: string
  - name: score
    dtype: float64
- name: chosen
  list: string
- name: begins_record
  dtype: bool
- name: candidate_words
  list: uint32
";
        assert_eq!(document(&[("features".to_owned(), yaml(&some))]), expected);
    }
}
