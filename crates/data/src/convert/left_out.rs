//! Why something of a dataset is not in what it was converted to.

use serde::Serialize;
use std::fmt;

macro_rules! reasons {
    ($($name:ident $id:literal $text:literal;)*) => {
        /// Why a comparison, or a pair of its candidates, is left out.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Reason {
            $(#[doc = $text] #[serde(rename = $id)] $name,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            /// The name in reports.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Reason::$name => $id,)* }
            }

            /// Why, in words.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $(Reason::$name => $text,)* }
            }
        }
    };
}

reasons! {
    OtherLanguage "other-language" "It is in another language than was asked for.";
    OtherValue "other-value" "A column has another value than was asked for.";
    OtherTurn "other-turn" "It is another turn than was asked for.";
    OtherAnnotator "other-annotator" "Somebody else chose.";
    OtherSource "other-source" "What was chosen comes from another source than was asked for.";
    Incomplete "incomplete" "A candidate has no text, and only complete comparisons were asked for.";
    NoPrompt "no-prompt" "There is no prompt.";
    NoCandidates "no-candidates" "No candidate has a text.";
    NoChoice "no-choice" "Nobody chose.";
    Tie "tie" "All are equally good.";
    ChoiceWithoutText "choice-without-text" "The chosen candidate has no text.";
    NothingRejected "nothing-rejected" "There is no other candidate with a text.";
    EqualTexts "equal-texts" "The chosen and the rejected text are the same.";
    NoOrder "no-order" "Nothing says which of the rejected candidates is the worst.";
    NoScores "no-scores" "Candidates have no scores.";
    NoWeight "no-weight" "The weight is no number from 0 up.";
    HasHistory "has-history" "The conversation has a history, which a plain text cannot hold; the conversational style can.";
    NoAlternation "no-alternation" "Person and model do not take turns in the history, as the tool wants it.";
    TooMany "too-many" "The comparison has more rows than were asked for.";
}

impl fmt::Display for Reason {
    /// Why, to go on with after a colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = self.description().trim_end_matches('.');
        let mut rest = why.chars();
        let first = rest.next().map(|c| c.to_ascii_lowercase());
        write!(f, "{}{}", first.unwrap_or_default(), rest.as_str())
    }
}
