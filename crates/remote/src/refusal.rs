//! What a server says when it refuses: the Hub in headers or JSON, S3 in XML, others in plain text.

use reqwest::Response;

/// How much of an explanation is read, in bytes.
const EXPLANATION: usize = 16 * 1024;

/// What a server says when it refuses.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The Hub's `X-Error-Code`, or S3's `<Code>`; empty if there is none.
    pub(crate) code: String,
    message: String,
}

impl Refusal {
    pub(crate) async fn read(mut response: Response) -> Self {
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (code, message) = (header("x-error-code"), header("x-error-message"));
        let mut body = Vec::new();
        // An explanation that breaks off is still one.
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > EXPLANATION {
                break;
            }
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        let tag = |name: &str| {
            let (_, rest) = body.split_once(&format!("<{name}>"))?;
            Some(rest.split_once('<')?.0.to_owned())
        };
        let json: Option<serde_json::Value> = serde_json::from_str(&body).ok();
        let said = json.as_ref().and_then(|json| {
            let error = &json["error"];
            error.as_str().or(error["message"].as_str()).or(json["message"].as_str())
        });
        let first = |texts: [Option<String>; 3]| {
            texts.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or_default()
        };
        Self {
            status,
            code: first([Some(code), tag("Code"), None]),
            message: first([
                Some(message),
                tag("Message"),
                Some(said.map_or_else(|| body.clone(), str::to_owned)),
            ]),
        }
    }

    /// Its words, or its code if it has none.
    pub(crate) fn said(&self) -> &str {
        match (&self.code[..], &self.message[..]) {
            ("", "") => "no explanation",
            (code, "") => code,
            (_, message) => message,
        }
    }
}
