//! `croissant.json`: the dataset for machines (Croissant 1.1), with the vocabulary of responsible AI filled from what
//! really happened. What nobody has said is left out.

use super::features::Feature;
use super::statements::{Gaps, Published};
use crate::schema::COLUMNS;
use serde_json::{Map, Value, json};

/// The document.
pub(super) fn croissant(published: &Published<'_>, gaps: &mut Gaps) -> String {
    let card = published.card;
    let mut document = Map::new();
    document.insert("@context".to_owned(), context());
    let mut put = |key: &str, value: Value| {
        let is_empty = match &value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if !is_empty {
            document.insert(key.to_owned(), value);
        }
    };
    put("@type", json!("sc:Dataset"));
    put(
        "conformsTo",
        json!(["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]),
    );
    put("name", json!(published.title()));
    let counted = published.composition().join(" ");
    let description = card.description.as_ref().map(|said| format!("{said} {counted}"));
    put("description", json!(description.unwrap_or(counted)));
    let license = card.license.as_deref().map(|id| {
        spdx(id)
            .map_or_else(|| id.to_owned(), |spdx| format!("https://spdx.org/licenses/{spdx}.html"))
    });
    put("license", json!(license));
    put("url", json!(gaps.ask("url", card.url.as_deref(), "Where is the dataset's page?")));
    let version =
        gaps.ask("version", card.version.as_deref(), "Which version is it, as MAJOR.MINOR.PATCH?");
    put("version", json!(version));
    put("datePublished", json!(published.date));
    put("citeAs", json!(card.citation));
    let creator = card.authors.iter().map(|author| {
        let mut creator = json!({ "@type": "sc:Person", "name": author.name });
        if let Some(orcid) = &author.orcid {
            creator["url"] = json!(super::citation::orcid_url(orcid));
        }
        creator
    });
    put("creator", json!(creator.collect::<Vec<_>>()));
    put("inLanguage", json!(published.languages().0));
    let keywords = ["preference", "human feedback", "pluralism"].into_iter();
    let keywords = keywords.chain(card.tags.iter().map(String::as_str));
    put("keywords", json!(keywords.collect::<Vec<_>>()));
    responsible(published, &mut put);
    put("distribution", distribution(published));
    put("recordSet", json!([record_set(published)]));
    let text = serde_json::to_string_pretty(&document).expect("texts and numbers are JSON");
    text + "\n"
}

/// The vocabulary of responsible AI.
fn responsible(published: &Published<'_>, put: &mut impl FnMut(&str, Value)) {
    let card = published.card;
    let also = |said: &Option<String>, found: Vec<String>| {
        json!(said.iter().cloned().chain(found).collect::<Vec<_>>())
    };
    put("rai:dataCollection", json!(card.collection));
    put("rai:dataCollectionTimeframe", json!(card.timeframe));
    put("rai:dataCollectionMissingData", json!(published.missing().join(" ")));
    let read = format!(
        "Read from files of the format {} into one row per comparison.",
        published.source.id()
    );
    let mut steps = vec![read];
    steps.extend(published.privacy());
    put("rai:dataPreprocessingProtocol", also(&card.preprocessing, steps));
    put("rai:dataAnnotationProtocol", also(&card.annotation_protocol, vec![published.protocol()]));
    put("rai:dataAnnotationPlatform", also(&card.annotation_platform, Vec::new()));
    let figures = published.figures();
    let figures =
        figures.iter().map(|f| format!("{}: {}, n = {} ({}).", f.name, f.value, f.n, f.definition));
    let mut analysis: Vec<String> = figures.collect();
    if !analysis.is_empty() {
        analysis.push(published.method());
    }
    put("rai:dataAnnotationAnalysis", json!(analysis));
    put("rai:annotationsPerItem", json!(published.annotations_per_item()));
    put("rai:annotatorDemographics", json!(published.demographics()));
    put("rai:personalSensitiveInformation", also(&card.personal_information, published.privacy()));
    put("rai:dataBiases", also(&card.biases, Vec::new()));
    let found = published.findings();
    let found = found.into_iter().map(|found| format!("Found in the source: {found}"));
    put("rai:dataLimitations", also(&card.limitations, found.collect()));
    let out = card.out_of_scope.iter().map(|out| format!("Not for: {out}"));
    put("rai:dataUseCases", also(&card.uses, out.collect()));
    put("rai:dataSocialImpact", json!(card.social_impact));
    put("rai:dataReleaseMaintenancePlan", json!(card.maintenance));
}

/// The files: each with its digest, and all of them together for who reads them.
fn distribution(published: &Published<'_>) -> Value {
    let shards = published.report.splits.iter().flat_map(|split| &split.shards);
    let files = shards.map(|shard| {
        json!({
            "@type": "cr:FileObject",
            "@id": shard.path,
            "name": shard.path.rsplit('/').next(),
            "contentUrl": shard.path,
            "contentSize": format!("{} B", shard.bytes),
            "encodingFormat": "application/x-parquet",
            "sha256": shard.sha256,
        })
    });
    let set = json!({
        "@type": "cr:FileSet",
        "@id": FILES,
        "name": FILES,
        "description": "All splits: the name of a file begins with its split.",
        "encodingFormat": "application/x-parquet",
        "includes": "data/*.parquet",
    });
    Value::Array(files.chain([set]).collect())
}

const FILES: &str = "parquet-files";
const RECORDS: &str = "comparisons";

fn record_set(published: &Published<'_>) -> Value {
    let split = json!({
        "@type": "cr:Field",
        "@id": format!("{RECORDS}/split"),
        "name": "split",
        "description": "The split, from the name of the file.",
        "dataType": "sc:Text",
        "source": {
            "fileSet": { "@id": FILES },
            "extract": { "fileProperty": "filename" },
            "transform": { "regex": "^(.+)-\\d+-of-\\d+\\.parquet$" },
        },
    });
    let fields = published.features.iter().map(|(name, feature)| field(name, feature));
    json!({
        "@type": "cr:RecordSet",
        "@id": RECORDS,
        "name": RECORDS,
        "description": "One record per comparison.",
        "field": std::iter::once(split).chain(fields).collect::<Vec<_>>(),
    })
}

fn field(name: &str, feature: &Feature) -> Value {
    let description = COLUMNS.iter().find(|(_, own, _)| *own == name).map(|(.., what)| *what);
    let id = format!("{RECORDS}/{name}");
    let source = |path: Option<&str>| {
        let mut source = json!({ "fileSet": { "@id": FILES }, "extract": { "column": name } });
        if let Some(path) = path {
            source["transform"] = json!({ "jsonPath": path });
        }
        source
    };
    let mut field = json!({ "@type": "cr:Field", "@id": id, "name": name });
    if let Some(description) = description {
        field["description"] = json!(description);
    }
    let (item, is_list) = match feature {
        Feature::List(item) => (&**item, true),
        other => (other, false),
    };
    if is_list {
        field["isArray"] = json!(true);
        field["arrayShape"] = json!("-1");
    }
    match item {
        Feature::Value(value) => {
            field["dataType"] = json!(value.croissant());
            field["source"] = source(None);
        }
        Feature::Struct(fields) => {
            let parts = fields.iter().map(|(part, feature)| {
                let value = match feature {
                    Feature::Value(value) => value.croissant(),
                    _ => "sc:Text",
                };
                json!({
                    "@type": "cr:Field",
                    "@id": format!("{id}/{part}"),
                    "name": part,
                    "dataType": value,
                    "source": source(Some(part)),
                })
            });
            field["subField"] = json!(parts.collect::<Vec<_>>());
        }
        // The shape has no lists of lists.
        Feature::List(_) => field["dataType"] = json!("sc:Text"),
    }
    field
}

/// The context of Croissant 1.1, as the specification has it.
fn context() -> Value {
    json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "arrayShape": "cr:arrayShape",
        "citeAs": "cr:citeAs",
        "column": "cr:column",
        "conformsTo": "dct:conformsTo",
        "containedIn": "cr:containedIn",
        "cr": "http://mlcommons.org/croissant/",
        "data": { "@id": "cr:data", "@type": "@json" },
        "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "dct": "http://purl.org/dc/terms/",
        "description": { "@container": "@language" },
        "equivalentProperty": "cr:equivalentProperty",
        "examples": { "@id": "cr:examples", "@type": "@json" },
        "extract": "cr:extract",
        "field": "cr:field",
        "fileObject": "cr:fileObject",
        "fileProperty": "cr:fileProperty",
        "fileSet": "cr:fileSet",
        "format": "cr:format",
        "includes": "cr:includes",
        "isArray": "cr:isArray",
        "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath",
        "key": "cr:key",
        "md5": "cr:md5",
        "name": { "@container": "@language" },
        "parentField": "cr:parentField",
        "path": "cr:path",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "recordSet": "cr:recordSet",
        "references": "cr:references",
        "regex": "cr:regex",
        "repeated": "cr:repeated",
        "replace": "cr:replace",
        "samplingRate": "cr:samplingRate",
        "sc": "https://schema.org/",
        "separator": "cr:separator",
        "source": "cr:source",
        "subField": "cr:subField",
        "transform": "cr:transform",
    })
}

/// The SPDX identifier of a licence that the hub knows by this id.
pub(super) fn spdx(id: &str) -> Option<&'static str> {
    const LICENCES: [(&str, &str); 17] = [
        ("apache-2.0", "Apache-2.0"),
        ("bsd-3-clause", "BSD-3-Clause"),
        ("cc-by-4.0", "CC-BY-4.0"),
        ("cc-by-nc-4.0", "CC-BY-NC-4.0"),
        ("cc-by-nc-nd-4.0", "CC-BY-NC-ND-4.0"),
        ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0"),
        ("cc-by-nd-4.0", "CC-BY-ND-4.0"),
        ("cc-by-sa-3.0", "CC-BY-SA-3.0"),
        ("cc-by-sa-4.0", "CC-BY-SA-4.0"),
        ("cc0-1.0", "CC0-1.0"),
        ("cdla-permissive-1.0", "CDLA-Permissive-1.0"),
        ("cdla-permissive-2.0", "CDLA-Permissive-2.0"),
        ("cdla-sharing-1.0", "CDLA-Sharing-1.0"),
        ("mit", "MIT"),
        ("odbl", "ODbL-1.0"),
        ("odc-by", "ODC-By-1.0"),
        ("pddl", "PDDL-1.0"),
    ];
    let id = id.to_ascii_lowercase();
    LICENCES.iter().find(|(known, _)| *known == id).map(|(_, spdx)| *spdx)
}
