//! Each format that people can export, from real files and from small ones in which every value is known.

#[path = "common/fit.rs"]
mod fit;

mod common;

use common::{bring, bring_with, csv, everything, lent, new_vault, options, own, rows};
use vault::{Export, Format, ImportError, Mapping, Options, Place, Report, Vault};

fn kept(report: &Report) -> Vec<(&'static str, u64)> {
    report
        .kept
        .iter()
        .map(|(table, rows)| (*table, *rows))
        .collect()
}

fn skipped(report: &Report) -> Vec<(&'static str, u64)> {
    report
        .skipped
        .iter()
        .map(|(reason, records)| (*reason, *records))
        .collect()
}

/// Imports it, then again: the second time nothing is new, and nothing changes. Then takes it back, which leaves nothing.
fn twice_and_back(bytes: &[u8], options: &Options<'_>) -> Report {
    let (_folder, _, mut vault) = new_vault();
    let first = bring_with(&mut vault, bytes, options).expect("imported");
    let held = everything(&vault);
    let second = bring_with(&mut vault, bytes, options).expect("imported again");
    assert_eq!(second.total_kept(), 0);
    assert_eq!(second.duplicate, first.total_kept() + first.duplicate);
    assert_eq!(second.skipped, first.skipped);
    assert_eq!(everything(&vault), held);
    reads_its_own_export(&vault);
    let undone = vault
        .undo(first.import.expect("a number"), 0)
        .expect("undone");
    assert_eq!(undone.removed, first.total_kept());
    assert!(
        vault
            .held()
            .expect("read")
            .iter()
            .all(|held| held.rows == 0)
    );
    first
}

/// A lent file comes whole: so many rows of one table, and nothing is left out.
fn lent_is_whole(name: &str, rows: (&'static str, u64)) {
    if let Some(bytes) = lent(name) {
        let report = twice_and_back(&bytes, &options());
        assert_eq!((kept(&report), report.total_skipped()), (vec![rows], 0));
    }
}

/// What is exported is imported to the same rows, by either format.
fn reads_its_own_export(vault: &Vault) {
    let held = vault.held().expect("read");
    let tables: Vec<&str> = held
        .iter()
        .filter(|it| !it.computed)
        .map(|it| it.table.name.as_str())
        .collect();
    let (_folder, _, mut by_json) = new_vault();
    let mut json = Vec::new();
    vault
        .export(&tables, Export::Json, &mut json)
        .expect("exported");
    let report = bring(&mut by_json, &json).expect("imported");
    assert_eq!(
        (report.format, report.total_skipped(), report.unusable_cells),
        (Format::RowsJson, 0, 0)
    );
    let (_folder, _, mut by_csv) = new_vault();
    for table in tables {
        let report = bring(&mut by_csv, csv(vault, table).as_bytes()).expect("imported");
        assert_eq!(
            (report.format, report.total_skipped(), report.unusable_cells),
            (Format::Rows, 0, 0)
        );
    }
    assert!(everything(&by_json) == everything(vault) && everything(&by_csv) == everything(vault));
}

#[test]
fn a_hike() {
    let report = twice_and_back(&own("cerknicko-jezero.gpx"), &options());
    assert_eq!(report.format, Format::Gpx);
    assert_eq!(kept(&report), [("positions", 296)]);
    assert_eq!(skipped(&report), [("of a kind that no table takes", 7)]);
}

#[test]
fn a_track_point_by_point() {
    let (_folder, _, mut vault) = new_vault();
    let gpx = r#"<?xml version="1.0"?><gpx creator="A &amp; B" version="1.1"><wpt lat="1" lon="2"/>
        <trk><trkseg>
        <trkpt lat="46.12345678" lon="-14.5"><ele>104.26</ele><time>2017-07-29T14:46:35.900+02:00</time>
          <extensions><x:hr>74</x:hr></extensions></trkpt>
        <trkpt lat="91" lon="0"><time>2017-07-29T14:46:36Z</time></trkpt>
        <trkpt lat="NaN" lon="0"><time>2017-07-29T14:46:37Z</time></trkpt>
        <trkpt lat="1" lon="0"></trkpt>
        <trkpt lat="1" lon="0"><time>yesterday</time></trkpt>
        <trkpt lat="1" lon="0"><time>9999-07-29T14:46:37Z</time></trkpt>
        <trkpt lat="1" lon="0"><ele>high</ele><time>2017-07-29T14:46:40Z</time></trkpt>
        </trkseg></trk></gpx>"#;
    let report = bring(&mut vault, gpx.as_bytes()).expect("imported");
    assert_eq!(
        rows(&vault, "positions"),
        [
            "1501332395,120,46.1234568,-14.5000000,104.3,,,A & B",
            "1501339600,0,1.0000000,0.0000000,,,,A & B",
        ]
    );
    assert_eq!(rows(&vault, "heart_rate"), ["1501332395,120,74.0,A & B"]);
    assert_eq!(
        rows(&vault, "daily_cells"),
        ["17376,46.12,-14.50,1", "17376,1.00,0.00,1"]
            .map(String::from)
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
    );
    assert_eq!(
        skipped(&report),
        [
            ("incomplete", 1),
            ("not a number", 1),
            ("not a time", 1),
            ("of a kind that no table takes", 1),
            ("out of range", 2),
        ]
    );
    assert_eq!(report.unusable_cells, 1);
}

#[test]
fn a_route_without_times_is_nothing_that_happened() {
    let (_folder, _, mut vault) = new_vault();
    let refused = bring(&mut vault, &own("strava_route_example.gpx"));
    let said = refused.expect_err("no times").to_string();
    assert_eq!(
        said,
        "nothing was read from the file: all its 113 records were left out; the first, at byte 783, has no time; \
         nothing was changed"
    );
    assert_eq!(vault.held(), Ok(vec![]));
    assert_eq!(vault.imports(), Ok(vec![]));
}

#[test]
fn lent_tracks() {
    // The second has tracks with times, and tracks without.
    for (name, points, dateless) in [
        ("garmin-activity.gpx", 988, 0),
        ("korita-zbevnica.gpx", 513, 358),
    ] {
        let Some(bytes) = lent(name) else { continue };
        let report = twice_and_back(&bytes, &options());
        assert_eq!(report.kept["positions"], points, "{name}");
        assert_eq!(
            report.skipped.get("incomplete").copied().unwrap_or(0),
            dateless,
            "{name}"
        );
    }
    // Its device had no clock, and says 1901.
    if let Some(bytes) = lent("Mojstrovka.gpx") {
        let (_folder, _, mut vault) = new_vault();
        let refused = bring(&mut vault, &bytes);
        let said = refused.expect_err("no years").to_string();
        assert!(said.contains("all its 184 records were left out"), "{said}");
    }
}

const HEALTH: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!ELEMENT HealthData (ExportDate,Me,(Record|Workout)*)>
]>
<HealthData locale="en_GB">
 <Me HKCharacteristicTypeIdentifierDateOfBirth="1981-02-02" HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexFemale"/>
 <Record type="HKQuantityTypeIdentifierStepCount" sourceName="Phone" unit="count" startDate="2020-01-01 23:50:00 +0100" endDate="2020-01-01 23:55:00 +0100" value="300"/>
 <Record type="HKQuantityTypeIdentifierStepCount" sourceName="Watch" unit="count" startDate="2020-01-01 23:50:00 +0100" endDate="2020-01-01 23:58:00 +0100" value="310"/>
 <Record type="HKQuantityTypeIdentifierStepCount" sourceName="Watch" unit="count" startDate="2020-01-02 00:10:00 +0100" endDate="2020-01-02 00:05:00 +0100" value="5"/>
 <Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Watch" unit="count/min" startDate="2020-01-02 08:00:00 +0100" endDate="2020-01-02 08:00:00 +0100" value="71.5"><MetadataEntry key="a" value="1"/></Record>
 <Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="Watch" startDate="2020-01-02 00:30:00 +0100" endDate="2020-01-02 06:30:00 +0100" value="HKCategoryValueSleepAnalysisAsleepDeep"/>
 <Record type="HKQuantityTypeIdentifierBodyMass" sourceName="Scale" unit="kg" startDate="2020-01-02 07:00:00 +0100" endDate="2020-01-02 07:00:00 +0100" value="70.25"/>
 <Record type="HKCategoryTypeIdentifierMindfulSession" sourceName="App" startDate="2020-01-02 07:00:00 +0100" endDate="2020-01-02 07:10:00 +0100" value="HKCategoryValueNotApplicable"/>
 <Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="30" durationUnit="min" sourceName="Watch" startDate="2020-01-02 09:00:00 +0100" endDate="2020-01-02 09:31:00 +0100">
  <WorkoutStatistics type="HKQuantityTypeIdentifierDistanceWalkingRunning" sum="5" unit="mi"/>
  <WorkoutStatistics type="HKQuantityTypeIdentifierActiveEnergyBurned" sum="400" unit="kcal"/>
  <WorkoutRoute><Location date="2020-01-02 09:00:05 +0100" latitude="46.05" longitude="14.5" altitude="300" horizontalAccuracy="3" speed="-1"/></WorkoutRoute>
 </Workout>
 <ActivitySummary dateComponents="2020-01-02"/>
</HealthData>"#;

#[test]
fn apple_health() {
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, HEALTH.as_bytes()).expect("imported");
    assert_eq!(report.format, Format::AppleHealth);
    assert_eq!(rows(&vault, "steps").len(), 2);
    assert_eq!(rows(&vault, "daily_steps"), ["18262,310"]);
    assert_eq!(rows(&vault, "heart_rate"), ["1577948400,60,71.5,Watch"]);
    assert_eq!(
        rows(&vault, "sleep"),
        ["1577921400,1577943000,60,deep,Watch"]
    );
    assert_eq!(
        rows(&vault, "activities"),
        ["1577952000,1577953860,60,running,1800,8047,400.0,,Watch"]
    );
    assert_eq!(
        rows(&vault, "positions"),
        ["1577952005,60,46.0500000,14.5000000,300.0,3.0,,Apple Health"]
    );
    assert!(
        csv(&vault, "observations")
            .contains("BodyMass,HKQuantityTypeIdentifierBodyMass,Apple Health,70.2500,kg")
    );
    assert_eq!(
        vault.profile(),
        Ok(vec![
            ("birth_year", "1981".into()),
            ("sex", "female".into())
        ])
    );
    assert_eq!(
        skipped(&report),
        [
            ("ends before it begins", 1),
            ("of a kind that no table takes", 1)
        ]
    );
    twice_and_back(HEALTH.as_bytes(), &options());
}

#[test]
fn lent_apple_health() {
    for (name, table) in [
        ("apple_health_export_small.xml", "heart_rate"),
        ("apple_health_export_workout.xml", "activities"),
    ] {
        let Some(bytes) = lent(name) else { continue };
        let report = twice_and_back(&bytes, &options());
        assert!(report.kept[table] >= 1, "{name}: {report:?}");
    }
}

#[test]
fn google_timeline_in_its_three_forms() {
    let phone = r#"{"semanticSegments":[
        {"startTime":"2024-05-01T08:00:00.000+02:00","endTime":"2024-05-01T08:30:00.000+02:00","startTimeTimezoneUtcOffsetMinutes":120,
         "activity":{"start":{"latLng":"46.0500000°, 14.5000000°"},"end":{"latLng":"46.06°, 14.6°"},"distanceMeters":8000.4,"topCandidate":{"type":"IN_PASSENGER_VEHICLE"}}},
        {"startTime":"2024-05-01T08:30:00.000+02:00","endTime":"2024-05-01T17:00:00.000+02:00","visit":{"topCandidate":{"placeLocation":{"latLng":"46.06°, 14.6°"}}}},
        {"startTime":"2024-05-01T08:00:00.000+02:00","endTime":"2024-05-01T10:00:00.000+02:00","timelinePath":[{"point":"46.051°, 14.51°","time":"2024-05-01T08:05:00.000+02:00"}]},
        {"startTime":"2024-05-01T08:00:00.000+02:00","endTime":"2024-05-01T10:00:00.000+02:00","timelineMemory":{}}],
      "rawSignals":[{"position":{"LatLng":"46.05°, 14.5°","accuracyMeters":13,"timestamp":"2024-05-01T08:00:01.000+02:00"}},{"wifiScan":{}}],
      "userLocationProfile":{"persona":[[{"x":1}],"a",null,true,1.5]}}"#;
    let ios = r#"[{"endTime":"2024-05-01T08:30:00.000+02:00","startTime":"2024-05-01T08:00:00.000+02:00",
        "activity":{"start":"geo:46.05,14.5","end":"geo:46.06,14.6","distanceMeters":"900.2","topCandidate":{"type":"walking"}}},
      {"endTime":"2024-05-01T10:00:00Z","startTime":"2024-05-01T08:00:00Z","timelinePath":[{"point":"geo:46.1,14.2","durationMinutesOffsetFromStartTime":"12"}]}]"#;
    let records = r#"{"locations":[{"latitudeE7":460500000,"longitudeE7":145000000,"accuracy":20,"timestamp":"2019-05-01T08:00:00.123Z"},
      {"latitudeE7":460500000,"longitudeE7":145000000,"timestampMs":"1556697601999"},
      {"latitudeE7":9960500000,"longitudeE7":145000000,"timestampMs":"1556697601999"},{"accuracy":1,"timestamp":"2019-05-01T08:00:05Z"}]}"#;
    let semantic = r#"{"timelineObjects":[{"activitySegment":{"startLocation":{"latitudeE7":460500000,"longitudeE7":145000000},"endLocation":{},
        "duration":{"startTimestamp":"2019-05-01T08:00:00Z","endTimestamp":"2019-05-01T08:10:00Z"},"distance":700,"activityType":"CYCLING"}},
      {"placeVisit":{"location":{"latitudeE7":460500000,"longitudeE7":145000000},"duration":{"startTimestampMs":"1556698200000","endTimestampMs":"1556701800000"}}}]}"#;
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, phone.as_bytes()).expect("imported");
    assert_eq!(kept(&report), [("positions", 4), ("trips", 1)]);
    assert_eq!(
        rows(&vault, "trips"),
        ["1714543200,1714545000,120,car,8000,46.0500000,14.5000000,46.0600000,14.6000000,Google"]
    );
    assert_eq!(rows(&vault, "daily_trips"), ["19844,car,1,8000,1800"]);
    assert_eq!(
        kept(&bring(&mut vault, ios.as_bytes()).expect("imported")),
        [("positions", 1), ("trips", 1)]
    );
    assert!(csv(&vault, "positions").contains("1714551120,0,46.1000000,14.2000000"));
    let report = bring(&mut vault, records.as_bytes()).expect("imported");
    assert_eq!(
        (kept(&report), skipped(&report)),
        (
            vec![("positions", 2)],
            vec![("incomplete", 1), ("out of range", 1)]
        )
    );
    assert_eq!(
        kept(&bring(&mut vault, semantic.as_bytes()).expect("imported")),
        [("positions", 2), ("trips", 1)]
    );
    for file in [phone, ios, records, semantic] {
        twice_and_back(file.as_bytes(), &options());
    }
}

#[test]
fn ratings() {
    let letterboxd = "Date,Name,Year,Letterboxd URI,Rating\n2024-01-05,\"Alien, again\",1979,https://boxd.it/a,4.5\n2024-01-06,Solaris,1972,https://boxd.it/b,\n2024-01-06,Stalker,1979,https://boxd.it/c,7\n";
    let imdb = "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres\ntt0078748,9,2024-02-01,Alien,Alien,https://x,movie,8.5,117,1979,\"Horror, Sci-Fi\"\n";
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, letterboxd.as_bytes()).expect("imported");
    assert_eq!(skipped(&report), [("incomplete", 1), ("out of range", 1)]);
    assert_eq!(
        rows(&vault, "ratings"),
        ["\"Alien, again\",1979,film,9.0,19727,https://boxd.it/a,Letterboxd"]
    );
    bring(&mut vault, imdb.as_bytes()).expect("imported");
    assert!(csv(&vault, "ratings").contains("Alien,1979,movie,9.0,19754,tt0078748,IMDb"));
    twice_and_back(letterboxd.as_bytes(), &options());
    twice_and_back(imdb.as_bytes(), &options());
}

#[test]
fn green_button() {
    let feed = r#"<feed xmlns="http://www.w3.org/2005/Atom"><entry><link rel="self" href="ReadingType/1"/><content><ReadingType xmlns="http://naesb.org/espi">
        <powerOfTenMultiplier>-3</powerOfTenMultiplier><uom>72</uom><flowDirection>1</flowDirection><currency>840</currency></ReadingType></content></entry>
      <entry><link rel="self" href="ReadingType/2"/><content><ReadingType><uom>999</uom></ReadingType></content></entry>
      <entry><link rel="self" href="M/1"/><link rel="related" href="ReadingType/1"/><content><MeterReading/></content></entry>
      <entry><link rel="self" href="M/2"/><link rel="related" href="ReadingType/2"/><content><MeterReading/></content></entry>
      <entry><link rel="self" href="M/1/IntervalBlock/1"/><content><IntervalBlock><interval><duration>1</duration><start>1</start></interval>
        <IntervalReading><cost>12345</cost><timePeriod><duration>3600</duration><start>1678165200</start><timezone>-0500</timezone></timePeriod><value>1500</value></IntervalReading>
        <IntervalReading><timePeriod><duration>-3600</duration><start>1678165200</start></timePeriod><value>1500</value></IntervalReading>
        <IntervalReading><timePeriod><duration>3600</duration><start>1678168800</start></timePeriod><value>-7</value></IntervalReading>
      </IntervalBlock></content></entry>
      <entry><link rel="self" href="M/2/IntervalBlock/1"/><content><IntervalBlock>
        <IntervalReading><timePeriod><duration>3600</duration><start>1678165200</start></timePeriod><value>1</value></IntervalReading></IntervalBlock></content></entry></feed>"#;
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, feed.as_bytes()).expect("imported");
    assert_eq!(
        rows(&vault, "energy"),
        ["1678165200,1678168800,-300,electricity,used,1.500,0.12345,840,Green Button"]
    );
    assert_eq!(
        rows(&vault, "daily_energy"),
        ["19423,electricity,used,1.500"]
    );
    assert_eq!(
        skipped(&report),
        [
            ("ends before it begins", 1),
            ("of a kind that no table takes", 1),
            ("out of range", 1)
        ]
    );
    lent_is_whole("greenbutton_electric_intervals.xml", ("energy", 300));
}

#[test]
fn fit() {
    let ride = twice_and_back(&own("garmin-fenix-5-bike.fit"), &options());
    assert_eq!(ride.format, Format::Fit);
    assert_eq!(
        kept(&ride),
        [("activities", 1), ("heart_rate", 19), ("positions", 19)]
    );
    let (_folder, _, mut vault) = new_vault();
    bring(&mut vault, &own("garmin-fenix-5-bike.fit")).expect("imported");
    // The watch was in California, seven hours behind.
    assert_eq!(
        rows(&vault, "activities"),
        ["1497283762,1497283822,-420,cycling,60,460,7.0,101.0,FIT"]
    );
    let day = twice_and_back(&own("MonitoringFile.fit"), &options());
    assert!(day.kept["steps"] > 10, "{day:?}");
    if let Some(bytes) = lent("hrv-activity.fit") {
        let report = twice_and_back(&bytes, &options());
        assert_eq!(report.kept["activities"], 1);
    }
}

/// A recording of so many heartbeats, one a second, each with 16 kB that no table takes.
fn recording(heartbeats: u32) -> Vec<u8> {
    const UNKNOWN: u8 = 64;
    let mut data = vec![0x40, 0, 0, 20, 0, 2 + UNKNOWN, 253, 4, 0x86, 3, 1, 2];
    data.extend((0..UNKNOWN).flat_map(|field| [150 + field, 255, 7]));
    let filling = [b'x'; 255 * UNKNOWN as usize];
    for second in 0..heartbeats {
        data.push(0);
        data.extend((1_000_000_000 + second).to_le_bytes());
        data.push(60 + (second % 60) as u8);
        data.extend(filling);
    }
    fit::framed(&data)
}

#[test]
fn long_recordings_one_after_the_other() {
    let one = recording(1_200);
    assert!(one.len() > 18 << 20);
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, &[one, recording(1_201)].concat()).expect("imported");
    assert_eq!(kept(&report), [("heart_rate", 1_201)]);
    assert_eq!((report.duplicate, report.total_skipped()), (1_200, 0));
    assert_eq!(rows(&vault, "heart_rate")[59], "1631065659,,119.0,FIT");
}

const PATIENT: &str =
    r#"{"resourceType":"Patient","id":"p1","birthDate":"1952-06-05","gender":"female"}"#;
const PRESSURE: &str = r#"{"resourceType":"Observation","id":"o1","status":"final","subject":{"reference":"Patient/p1"},
  "effectiveDateTime":"2024-03-01T09:00:00+01:00","code":{"text":"Blood pressure"},
  "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6","display":"Systolic"}]},"valueQuantity":{"value":121.5,"unit":"mmHg"}},
               {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4","display":"Diastolic"}]},"valueQuantity":{"value":80,"unit":"mmHg"}}]}"#;
const PULSE: &str = r#"{"resourceType":"Observation","id":"o2","status":"final","subject":{"reference":"Patient/p1"},
  "effectiveDateTime":"2024-03-01T09:00:00Z","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"valueQuantity":{"value":66}}"#;
const MISTAKE: &str = r#"{"resourceType":"Observation","id":"o3","status":"entered-in-error","subject":{"reference":"Patient/p1"}}"#;
const ILLNESS: &str = r#"{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/p1"},"onsetDateTime":"2020-04",
  "clinicalStatus":{"coding":[{"code":"active"}]},"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E78.5"}],"text":"Hyperlipidemia"}}"#;
const STRANGER: &str = r#"{"resourceType":"Condition","id":"c2","subject":{"reference":"Patient/p2"},"code":{"text":"Nosiness"}}"#;

#[test]
fn fhir_as_lines_and_as_a_bundle() {
    let one_line = |text: &str| text.replace('\n', " ");
    let all = [PATIENT, PRESSURE, PULSE, MISTAKE, ILLNESS];
    let lines = all.map(one_line).join("\n");
    let entries: Vec<String> = all
        .iter()
        .map(|it| format!("{{\"fullUrl\":\"https://x/it\",\"resource\":{it}}}"))
        .collect();
    let bundle = format!(
        "{{\"resourceType\":\"Bundle\",\"entry\":[{}],\"type\":\"collection\"}}",
        entries.join(",")
    );
    let backwards = format!(
        "{{\"entry\":[{}],\"resourceType\":\"Bundle\"}}",
        entries.join(",")
    );
    let mut before = None;
    for file in [lines, bundle, backwards] {
        let (_folder, _, mut vault) = new_vault();
        let report = bring(&mut vault, file.as_bytes()).expect("imported");
        assert_eq!(report.format, Format::Fhir);
        assert_eq!(
            kept(&report),
            [
                ("conditions", 1),
                ("heart_rate", 1),
                ("observations", 2),
                ("profile", 1)
            ]
        );
        assert_eq!(skipped(&report), [("withdrawn", 1)]);
        assert!(
            csv(&vault, "observations")
                .contains("1709280000,60,Systolic,8480-6,http://loinc.org,121.5000,mmHg,,o1,FHIR")
        );
        assert!(
            csv(&vault, "conditions").contains(
                "Hyperlipidemia,E78.5,http://hl7.org/fhir/sid/icd-10-cm,active,1585699200,"
            )
        );
        let now = everything(&vault);
        assert!(
            before
                .replace(now.clone())
                .is_none_or(|before| before == now)
        );
        twice_and_back(file.as_bytes(), &options());
    }
}

#[test]
fn somebody_elses_records_are_not_mixed_in() {
    let file = format!(
        "{}\n{STRANGER}",
        [PATIENT, PULSE].map(|it| it.replace('\n', " ")).join("\n")
    );
    let (_folder, _, mut vault) = new_vault();
    let refused = bring(&mut vault, file.as_bytes()).expect_err("two people");
    assert_eq!(
        refused,
        ImportError::SeveralPeople {
            place: Place::Record(3)
        }
    );
    assert_eq!(vault.held(), Ok(vec![]));
    let chosen = Options {
        person: Some("Patient/p1"),
        ..options()
    };
    let report = bring_with(&mut vault, file.as_bytes(), &chosen).expect("imported");
    assert_eq!(skipped(&report), [("of another person", 1)]);
    assert!(!everything(&vault).contains("Nosiness"));
    // Nor when they come in a file of their own: the owner is known by now.
    let alone = bring(&mut vault, STRANGER.as_bytes()).expect_err("somebody else");
    let place = Place::Record(1);
    assert_eq!(alone, ImportError::SomebodyElse { place });
    let again = bring(&mut vault, PULSE.as_bytes()).expect("the owner's own");
    assert_eq!((again.total_kept(), again.duplicate), (0, 1));
    // Until nothing tells who the owner is, or the owner does.
    vault.undo(1, 0).expect("undone");
    vault.undo(2, 0).expect("undone");
    bring(&mut vault, STRANGER.as_bytes()).expect("nobody is known");
}

#[test]
fn lent_fhir() {
    for (name, table) in [
        ("Observation", "observations"),
        ("Condition", "conditions"),
        ("Patient", "profile"),
    ] {
        let Some(bytes) = lent(&format!("fhir_r4_synthetic_{name}.ndjson")) else {
            continue;
        };
        let (_folder, _, mut vault) = new_vault();
        assert!(matches!(
            bring(&mut vault, &bytes),
            Err(ImportError::SeveralPeople { .. })
        ));
        let person = Options {
            person: Some("6d367230-21b3-5816-8d8c-5239028c388f"),
            ..options()
        };
        let report = twice_and_back(&bytes, &person);
        assert!(report.kept[table] >= 1, "{name}: {report:?}");
        assert_eq!(
            report.skipped.keys().copied().collect::<Vec<_>>(),
            ["of another person"]
        );
    }
}

#[test]
fn calendars() {
    let file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20240301T080000Z\r\nDURATION:PT1H30M\r\nSUMMARY:A long \r\n title\\, with a comma\r\nCATEGORIES:WORK\r\nBEGIN:VALARM\r\nSUMMARY:not this\r\nEND:VALARM\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20240302\r\nSUMMARY:Ill\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:3\r\nDTSTART;TZID=Europe/Paris:20240303T090000\r\nDTEND;TZID=Europe/Paris:20240303T100000\r\nSUMMARY:Somewhere\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:4\r\nDTSTART:20240303T090000Z\r\nDTEND:20240303T080000Z\r\nSUMMARY:Backwards\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:5\r\nDTSTART:20240303T090000Z\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:6\r\nDTSTART:soon\r\nEND:VEVENT\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, file.as_bytes()).expect("imported");
    assert_eq!(
        rows(&vault, "events"),
        [
            "1709280000,1709285400,0,no,\"A long title, with a comma\",WORK,,1",
            "1709337600,1709424000,,yes,Ill,,,2",
        ]
    );
    assert_eq!(
        skipped(&report),
        [
            ("ends before it begins", 1),
            ("local time of an unknown zone", 1),
            ("not a time", 1),
            ("of a kind that no table takes", 1),
            ("withdrawn", 1),
        ]
    );
    let zoned = Options {
        utc_offset_min: Some(60),
        ..options()
    };
    let (_folder, _, mut vault) = new_vault();
    bring_with(&mut vault, file.as_bytes(), &zoned).expect("imported");
    assert!(csv(&vault, "events").contains("1709452800,1709456400,60,no,Somewhere"));
    assert!(csv(&vault, "events").contains("1709334000,1709420400,60,yes,Ill"));
    lent_is_whole("USHolidays.ics", ("events", 723));
}

#[test]
fn calendars_with_zones_of_their_own() {
    let file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Paris of mine\r\n\
        BEGIN:DAYLIGHT\r\nDTSTART:19810329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\n\
        BEGIN:STANDARD\r\nDTSTART:19961027T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Paris of mine:20240303T090000\r\nDTEND;TZID=Paris of mine:20240303T100000\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:2\r\nDTSTART;TZID=\"Paris of mine\":20240703T090000\r\nDURATION:PT1H\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:3\r\nDTSTART;TZID=Rome:20240703T090000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, file.as_bytes()).expect("imported");
    assert_eq!(
        rows(&vault, "events"),
        [
            "1709452800,1709456400,60,no,,,,1",
            "1719990000,1719993600,120,no,,,,2",
        ]
    );
    assert_eq!(skipped(&report), [("local time of an unknown zone", 1)]);
}

#[test]
fn statements() {
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, &own("stmtrs_euro.ofx")).expect("imported");
    assert_eq!(kept(&report), [("transactions", 2)]);
    assert_eq!(
        rows(&vault, "transactions")[0],
        "1128384000,,-200.0000,USD,check,,,999988,00002"
    );
    twice_and_back(&own("stmtrs_euro.ofx"), &options());
    // Elements that are never closed, and Windows' letters.
    let sgml = b"OFXHEADER:100\nDATA:OFXSGML\n\n<OFX><STMTRS><CURDEF>EUR<ACCTID>1<BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20240316003021.848[-5:EST]\
        <TRNAMT>-153.22<FITID>a<NAME>Caf\xe9 &amp; Bar \x80<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>2024<TRNAMT>1<STMTTRN><DTPOSTED>20240317<TRNAMT>nan<FITID>b</BANKTRANLIST></STMTRS></OFX>";
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, sgml).expect("imported");
    assert_eq!(
        rows(&vault, "transactions"),
        ["1710567021,-300,-153.2200,EUR,debit,Café & Bar €,,1,a"]
    );
    assert_eq!(skipped(&report), [("not a number", 1), ("not a time", 1)]);
    if let Some(bytes) = lent("mercury-checking.ofx") {
        let report = twice_and_back(&bytes, &options());
        assert_eq!(
            (
                report.kept["transactions"] + report.duplicate,
                report.total_skipped()
            ),
            (674, 0)
        );
        // It closes nothing, and lacks its balance when it is cut off.
        let (_folder, _, mut vault) = new_vault();
        let cut = bring(&mut vault, &bytes[..50_000]).expect_err("cut off");
        assert!(matches!(cut, ImportError::Truncated { .. }), "{cut}");
    }
}

#[test]
fn tables_by_a_mapping() {
    let mapping: Mapping = r#"
        table = "sleep"
        separator = ";"
        decimal = ","
        [columns.start_utc_s]
        from = ["Tag", "Von"]
        time = "%d.%m.%Y %H:%M"
        [columns.end_utc_s]
        from = ["Tag", "Bis"]
        time = "%d.%m.%Y %H:%M"
        [columns.stage]
        from = "Art"
        words = { Tiefschlaf = "deep", Traum = "rem" }
        [columns.source]
        value = "bed"
    "#
    .parse()
    .expect("a mapping");
    let file = "Tag;Von;Bis;Art\n1.3.2024;01:00;02:30;Tiefschlaf\n1.3.2024;02:30;03:00;Traum\n1.3.2024;02:30;03:00;Traum\n1.3.2024;03:00;02:00;Traum\n1.3.2024;03:00;04:00;Koma\nneulich;03:00;04:00;Traum\n1.3.2024;03:00\n";
    let mapped = Options {
        mapping: Some(&mapping),
        utc_offset_min: Some(60),
        ..options()
    };
    let (_folder, _, mut vault) = new_vault();
    let report = bring_with(&mut vault, file.as_bytes(), &mapped).expect("imported");
    assert_eq!(
        rows(&vault, "sleep"),
        [
            "1709251200,1709256600,60,deep,bed",
            "1709256600,1709258400,60,rem,bed"
        ]
    );
    assert_eq!((report.duplicate, report.format), (1, Format::Csv));
    assert_eq!(
        skipped(&report),
        [
            ("another number of cells than the first line", 1),
            ("ends before it begins", 1),
            ("not a declared word", 1),
            ("not a time", 1),
        ]
    );
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "line 5: ends before it begins",
            "line 6, column \"stage\": is not one of the declared words",
            "line 7, column \"end_utc_s\": is not a time",
            "line 8: has 2 cells where the first line has 4",
        ]
    );
    twice_and_back(file.as_bytes(), &mapped);
    let refused = bring_with(&mut vault, b"Tag;Von\n1;2\n", &mapped)
        .expect_err("columns are missing")
        .to_string();
    assert!(
        refused.contains("names the column \"Bis\"") && !refused.contains("Tag"),
        "{refused}"
    );
    let numbers: Mapping = "table = \"positions\"\ndecimal = \",\"\nseparator = \";\"\n[columns.at_utc_s]\nfrom = \"t\"\ntime = \"%s\"\n[columns.latitude_deg]\nfrom = \"y\"\n[columns.longitude_deg]\nfrom = \"x\"\n[columns.altitude_m]\nfrom = \"feet\"\ntimes = 0.3048\n".parse().expect("a mapping");
    let mapped = Options {
        mapping: Some(&numbers),
        ..options()
    };
    bring_with(
        &mut vault,
        b"t;x;y;feet\n1709251200;14,5;46,25;1000\n",
        &mapped,
    )
    .expect("imported");
    assert_eq!(
        rows(&vault, "positions"),
        ["1709251200,,46.2500000,14.5000000,304.8,,,"]
    );
}

#[test]
fn a_table_that_nobody_knows_needs_a_mapping() {
    let (_folder, _, mut vault) = new_vault();
    let refused = bring(&mut vault, b"a,b\n1,2\n").expect_err("unknown");
    assert_eq!(refused, ImportError::NeedsMapping);
    assert!(refused.to_string().contains("--map FILE"));
}

/// Each record is bounded, and the file is not.
#[test]
fn files_of_many_records() {
    let many = |head: &str, record: &dyn Fn(u64) -> String, tail: &str| {
        let mut file = String::from(head);
        let mut records = 0;
        while file.len() < 3 << 20 {
            file.push_str(&record(records));
            records += 1;
        }
        file.push_str(tail);
        (file, records)
    };
    let padding = "x".repeat(2000);
    let at = |n: u64| 1_600_000_000 + n;
    let second = |n: u64| format!("{:02}:{:02}:{:02}", n / 3600, n / 60 % 60, n % 60);
    let csv = "start_utc_s,end_utc_s,utc_offset_min,steps_count,source\n";
    let mapping: Mapping = "table = \"transactions\"\n[columns.at_utc_s]\nfrom=\"t\"\ntime=\"%s\"\n[columns.amount]\nfrom=\"a\"\n".parse().expect("a mapping");
    let cases = [
        many(csv, &|n| format!("{0},{0},0,1,{padding}\n", at(n)), ""),
        many("t,a,c\n", &|n| format!("{},1,{padding}\n", at(n)), ""),
        many(
            "Date,Name,Year,Letterboxd URI,Rating\n",
            &|n| format!("2020-01-01,{n},1999,{padding},5\n"),
            "",
        ),
        many(
            "<gpx><trk>",
            &|n| {
                format!(
                    "<trkpt lat=\"1\" lon=\"1\"><time>2020-01-01T{}Z</time><cmt>{padding}</cmt></trkpt>",
                    second(n)
                )
            },
            "</trk></gpx>",
        ),
        many(
            "{\"passed\":[",
            &|n| format!("{{\"{n}\":\"{padding}\"}},"),
            "1],\"locations\":[{\"latitudeE7\":1,\"longitudeE7\":1,\"timestamp\":\"2020-01-01T00:00:00Z\"}]}",
        ),
        many(
            "{\"locations\":[",
            &|n| {
                format!(
                    "{{\"latitudeE7\":1,\"longitudeE7\":1,\"timestamp\":\"2020-01-01T{}Z\",\"x\":\"{padding}\"}},",
                    second(n)
                )
            },
            "{}]}",
        ),
        many(
            "",
            &|n| {
                format!(
                    "{{\"resourceType\":\"Condition\",\"id\":\"{n}\",\"code\":{{\"text\":\"{padding}\"}}}}\n"
                )
            },
            "",
        ),
        many(
            "{\"resourceType\":\"Bundle\",\"entry\":[",
            &|n| {
                format!(
                    "{{\"resource\":{{\"resourceType\":\"Condition\",\"id\":\"{n}\",\"code\":{{\"text\":\"{padding}\"}}}}}},"
                )
            },
            "{}]}",
        ),
        many(
            "{\"rows\":[",
            &|n| {
                format!(
                    "{{\"commonhold_table\":\"ratings\",\"title\":\"{n}{padding}\",\"rating_of_10\":5}},"
                )
            },
            "{}]}",
        ),
        many(
            "BEGIN:VCALENDAR\n",
            &|n| format!("BEGIN:VEVENT\nUID:{n}\nDTSTART:20200101\nX:{padding}\nEND:VEVENT\n"),
            "END:VCALENDAR\n",
        ),
        many(
            "OFXHEADER:100\n<OFX>",
            &|n| format!("<STMTTRN><DTPOSTED>20200101<TRNAMT>1<FITID>{n}<MEMO>{padding}</STMTTRN>"),
            "</OFX>",
        ),
    ];
    for (number, (file, records)) in cases.iter().enumerate() {
        let (_folder, _, mut vault) = new_vault();
        let mapped = Options {
            format: (number == 4).then_some(Format::GoogleTimeline),
            mapping: (number == 1).then_some(&mapping),
            ..options()
        };
        let report = bring_with(&mut vault, file.as_bytes(), &mapped).expect("imported");
        let expected = if number == 4 { 1 } else { *records };
        assert_eq!(report.total_kept(), expected, "case {number}");
    }
}

#[test]
fn moments_of_utc_get_the_owners_zone_where_it_is_said() {
    let track = br#"<gpx creator="x"><trk><trkseg><trkpt lat="1" lon="2"><time>2024-05-01T23:30:00Z</time></trkpt></trkseg></trk></gpx>"#;
    let (_folder, _, mut vault) = new_vault();
    let ahead = Options {
        utc_offset_min: Some(60),
        ..options()
    };
    bring_with(&mut vault, track, &ahead).expect("imported");
    // The same moment, at home half past midnight of the next day.
    let [row] = &rows(&vault, "positions")[..] else {
        panic!("one row");
    };
    assert!(row.starts_with("1714606200,60,"), "{row}");
}

#[test]
fn a_mark_of_the_encoding_is_no_matter() {
    let (_folder, _, mut vault) = new_vault();
    let marked = ["\u{feff}", PULSE].concat();
    let report = bring(&mut vault, marked.as_bytes()).expect("imported");
    assert_eq!(report.kept["heart_rate"], 1);
}

#[test]
fn a_record_of_mine_that_is_not_taken_is_told_among_those_of_others() {
    let patient = |id: usize, born: u32| {
        format!(
            "{{\"resourceType\":\"Patient\",\"id\":\"{id}\",\"birthDate\":\"{born}\",\"gender\":\"female\"}}\n"
        )
    };
    let (_folder, _, mut vault) = new_vault();
    bring(&mut vault, patient(1, 1950).as_bytes()).expect("imported");
    let address = patient(1, 1950).replace("}\n", ",\"address\":[{\"country\":\"SI\"}]}\n");
    let others = (2..200).map(|id| patient(id, 1960));
    let file: String = others.chain([address]).collect();
    let mine = Options {
        person: Some("Patient/1"),
        ..options()
    };
    let refused = bring_with(&mut vault, file.as_bytes(), &mine).expect_err("refused");
    let text = refused.to_string();
    assert!(text.contains("another person"), "{text}");
    assert!(text.contains("the one that is yours"), "{text}");
    assert!(text.contains("differs from the profile"), "{text}");
}

#[test]
fn xml_in_older_encodings() {
    let track = "<g:gpx xmlns:g='x' creator='Größe €'><g:trk><g:trkpt lat='1' lon='2'><g:time>2020-01-01T00:00:00Z</g:time></g:trkpt></g:trk></g:gpx>";
    let health = "<HealthData><Record type='HKQuantityTypeIdentifierStepCount' sourceName='Größe €' unit='count' startDate='2020-01-01 10:00:00 +0100' endDate='2020-01-01 10:05:00 +0100' value='5'/></HealthData>";
    for (text, table) in [(track, "positions"), (health, "steps")] {
        let declared = |name: &str| format!("<?xml version='1.0' encoding='{name}'?>\n{text}");
        let western = declared("ISO-8859-1");
        let western = western.chars().map(|it| match it {
            '€' => 0x80,
            it => u8::try_from(u32::from(it)).expect("Western"),
        });
        let utf16 = |of: fn(u16) -> [u8; 2]| {
            let text = format!("\u{feff}{}", declared("UTF-16"));
            text.encode_utf16().flat_map(of).collect::<Vec<u8>>()
        };
        let files = [
            declared("UTF-8").into_bytes(),
            western.collect(),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
        ];
        for (number, file) in files.iter().enumerate() {
            let (_folder, _, mut vault) = new_vault();
            let report = bring(&mut vault, file).expect("imported");
            assert_eq!(report.total_kept(), 1, "{number}");
            let rows = rows(&vault, table);
            assert!(rows[0].contains("Größe €"), "{number}: {rows:?}");
        }
        let (_folder, _, mut vault) = new_vault();
        let refused = bring(&mut vault, declared("Shift_JIS").as_bytes());
        assert_eq!(refused, Err(ImportError::Encoding));
    }
}
