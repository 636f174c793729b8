//! JSON written straight into a buffer: millions of small objects whose keys have a fixed order.

use crate::comparison::Role;

/// An object under way. Every key is written by the code that knows it is new.
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    pub(crate) fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// The buffer, with the key written: one value must follow.
    pub(crate) fn value(&mut self, key: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        text(self.out, key);
        self.out.push(b':');
        self.out
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        text(self.value(key), value);
        self
    }

    /// A text, or `null`.
    pub(crate) fn optional(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        let out = self.value(key);
        match value {
            Some(value) => text(out, value),
            None => out.extend_from_slice(b"null"),
        }
        self
    }

    /// Anything that serde can write; what JSON has no word for is `null`.
    pub(crate) fn plain(&mut self, key: &str, value: impl serde::Serialize) -> &mut Self {
        serde_json::to_writer(self.value(key), &value).expect("a buffer takes everything");
        self
    }

    /// A list of chat messages.
    pub(crate) fn messages<'m>(
        &mut self,
        key: &str,
        messages: impl IntoIterator<Item = (Role, &'m str)>,
    ) -> &mut Self {
        list(self.value(key), messages, |out, (role, content)| message(out, role, content));
        self
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}

/// A list of anything.
pub(crate) fn list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

/// A chat message.
pub(crate) fn message(out: &mut Vec<u8>, role: Role, content: &str) {
    let mut object = Object::begin(out);
    object.text("role", role.as_str()).text("content", content);
    object.end();
}

/// A string.
pub(crate) fn text(out: &mut Vec<u8>, value: &str) {
    serde_json::to_writer(out, value).expect("a buffer takes everything");
}
