//! Files of any length, made of records as programs and services export them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::fit;

/// What the records of a file stand between, by format.
const AROUND: [(&str, &str, &str); 8] = [
    (
        "gpx",
        "<gpx creator=\"Watch\"><trk><trkseg>\n",
        "</trkseg></trk></gpx>\n",
    ),
    (
        "apple-health",
        "<?xml version=\"1.0\"?>\n<HealthData locale=\"en_GB\">\n",
        "</HealthData>\n",
    ),
    // An empty position, so that each record can begin with a comma.
    ("google-timeline", "{\"locations\":[{}\n", "]}\n"),
    ("letterboxd", "Date,Name,Year,Letterboxd URI,Rating\n", ""),
    (
        "imdb",
        "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,Release Date,Directors\n",
        "",
    ),
    (
        "green-button",
        "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <entry><link rel=\"self\" href=\"ReadingType/1\"/><content><ReadingType xmlns=\"http://naesb.org/espi\">\
         <powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom><flowDirection>1</flowDirection></ReadingType></content></entry>\n\
         <entry><link rel=\"self\" href=\"M/1/IntervalBlock/1\"/><content><IntervalBlock>\n",
        "</IntervalBlock></content></entry></feed>\n",
    ),
    (
        "ics",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n",
        "END:VCALENDAR\r\n",
    ),
    (
        "ofx",
        "OFXHEADER:100\nDATA:OFXSGML\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>1234567890</BANKACCTFROM>\n<BANKTRANLIST>\n",
        "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n",
    ),
];

/// The second of a record, as files write it.
struct Second {
    /// Which it is.
    number: i64,
    /// Seconds since 1970.
    utc_s: i64,
    /// The date, in a calendar whose months all have 28 days.
    date: String,
    time: String,
}

impl Second {
    fn new(number: i64) -> Self {
        let (day, time) = ((number + 9_600) / 86_400, (number + 9_600) % 86_400);
        let (year, month, of_month) = (2017 + day / 336, day / 28 % 12 + 1, day % 28 + 1);
        Self {
            number,
            utc_s: 1_500_000_000 + number,
            date: format!("{year:04}-{month:02}-{of_month:02}"),
            time: format!("{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60),
        }
    }
}

/// Writes such a file of at least so many bytes, with a record for each second.
pub fn grow(path: &Path, format: &str, bytes: u64) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    if format == "fit" {
        return rides(&mut out, bytes);
    }
    let around = AROUND.iter().find(|(name, ..)| *name == format);
    let (head, tail) = match (format, around) {
        (_, Some((_, head, tail))) => (*head, *tail),
        // As programs write that log all sensors at once.
        ("csv-wide", _) => (
            "t_s,lat,lon,altitude,speed,accel_x,accel_y,accel_z,gyro_x,gyro_y,gyro_z,mag_x,mag_y,mag_z,pressure,light,battery,note\n",
            "",
        ),
        ("fhir", _) => ("", ""),
        _ => ("at_utc_s,utc_offset_min,heart_rate_bpm,source\n", ""),
    };
    let mut written = out.write(head.as_bytes())? as u64;
    for number in 0.. {
        if written >= bytes {
            break;
        }
        let record = record(format, &Second::new(number));
        out.write_all(record.as_bytes())?;
        written += record.len() as u64;
    }
    out.write_all(tail.as_bytes())?;
    out.flush()
}

fn record(format: &str, second: &Second) -> String {
    let Second {
        number,
        utc_s,
        date,
        time,
    } = second;
    let (latitude, longitude) = (number % 10_000_000, number * 7 % 10_000_000);
    let (height, noise, pulse) = (300 + number % 90, number * 31 % 1000, 60 + number % 60);
    match format {
        "gpx" => format!(
            "<trkpt lat=\"46.{latitude:07}\" lon=\"14.{longitude:07}\"><ele>{height}</ele><time>{date}T{time}Z</time></trkpt>\n"
        ),
        "apple-health" => format!(
            "<Record type=\"HKQuantityTypeIdentifierHeartRate\" sourceName=\"Watch\" sourceVersion=\"9.1\" device=\"&lt;&lt;HKDevice: 0x28&gt;, name:Watch&gt;\" unit=\"count/min\" creationDate=\"{date} {time} +0100\" startDate=\"{date} {time} +0100\" endDate=\"{date} {time} +0100\" value=\"{pulse}\"/>\n"
        ),
        "csv-wide" => format!(
            "{utc_s},46.{latitude:07},14.{longitude:07},{height}.5,2.{noise:03},0.{noise:03}123,-0.{noise:03}456,9.{noise:03}789,\
             0.0{noise:03},0.1{noise:03},-0.2{noise:03},21.{noise:03},-4.{noise:03},43.{noise:03},1013.{noise:03},{noise},87,walking in the park\n"
        ),
        "google-timeline" => format!(
            ",{{\"latitudeE7\":46{latitude:07},\"longitudeE7\":14{longitude:07},\"accuracy\":{},\"activity\":[{{\"activity\":[{{\"type\":\"STILL\",\"confidence\":100}}],\
             \"timestamp\":\"{date}T{time}.123Z\"}}],\"source\":\"WIFI\",\"deviceTag\":-1577767832,\"timestamp\":\"{date}T{time}.{noise:03}Z\"}}\n",
            number % 40
        ),
        "letterboxd" => format!(
            "{date},A Film of {number},{},https://boxd.it/{number:x},{}.5\n",
            1920 + number % 100,
            number % 5
        ),
        "imdb" => format!(
            "tt{number:08},{},{date},A Film of {number},A Film of {number},https://www.imdb.com/title/tt{number:08},Movie,7.{},117,{},\"Horror, Sci-Fi\",{noise},{date},Ridley Scott\n",
            1 + number % 10,
            number % 10,
            1920 + number % 100
        ),
        "green-button" => format!(
            "<IntervalReading><timePeriod><duration>900</duration><start>{utc_s}</start><timezone>+0100</timezone></timePeriod><value>{noise}</value></IntervalReading>\n"
        ),
        "fhir" => format!(
            "{{\"category\":[{{\"coding\":[{{\"code\":\"laboratory\",\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\"}}],\"text\":\"Laboratory\"}}],\
             \"code\":{{\"coding\":[{{\"code\":\"2093-3\",\"display\":\"Cholesterol [Mass/volume] in Serum or Plasma\",\"system\":\"http://loinc.org\"}}],\"text\":\"Cholesterol\"}},\
             \"effectiveDateTime\":\"{date}T{time}Z\",\"id\":\"{number:08x}-26e8-5f77-b76d-05d829fc44d3\",\"meta\":{{\"profile\":[\"http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab\"]}},\
             \"performer\":[{{\"reference\":\"Practitioner/1\"}}],\"resourceType\":\"Observation\",\"status\":\"final\",\"subject\":{{\"reference\":\"Patient/1\"}},\
             \"valueQuantity\":{{\"code\":\"mg/dL\",\"system\":\"http://unitsofmeasure.org\",\"unit\":\"mg/dL\",\"value\":{}.5}}}}\n",
            100 + number % 100
        ),
        "ics" => {
            let (date, time) = (date.replace('-', ""), time.replace(':', ""));
            format!(
                "BEGIN:VEVENT\r\nUID:{number}@calendar\r\nDTSTAMP:{date}T{time}Z\r\nDTSTART:{date}T{time}Z\r\nDURATION:PT1H\r\nSUMMARY:A talk\\, about {noise}\r\nLOCATION:Room {}\r\nEND:VEVENT\r\n",
                number % 9
            )
        }
        "ofx" => {
            let (date, time) = (date.replace('-', ""), time.replace(':', ""));
            format!(
                "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>{date}{time}.000[+1:CET]<TRNAMT>-{noise}.22<FITID>{number:08x}-9644-4473-88fe-408bf5baa54e<NAME>A Shop of {}<MEMO>Thank you for shopping</STMTTRN>\n",
                number % 99
            )
        }
        _ => format!("{utc_s},60,{pulse}.5,chest strap\n"),
    }
}

/// Seconds of one recording: eight hours, whose end tells how far the watch's clock was ahead.
const RIDE_S: u32 = 8 * 3600;

/// Recordings one after the other.
fn rides(out: &mut impl Write, bytes: u64) -> io::Result<()> {
    let mut written = 0;
    for ride in 0.. {
        if written >= bytes {
            break;
        }
        let file = fit(ride * RIDE_S);
        out.write_all(&file)?;
        written += file.len() as u64;
    }
    out.flush()
}

/// One recording, which begins so many seconds after the first.
fn fit(first: u32) -> Vec<u8> {
    // Seconds since 1989, as FIT counts.
    const BEGUN: u32 = 900_000_000;
    // Time, latitude, longitude, altitude, heart rate and speed; fields with their length and kind.
    let mut data = vec![
        0x40, 0, 0, 20, 0, 6, 253, 4, 0x86, 0, 4, 0x85, 1, 4, 0x85, 2, 2, 0x84, 3, 1, 2, 6, 2, 0x84,
    ];
    for second in first..first + RIDE_S {
        let pulse = 60 + (second % 60) as u8;
        data.push(0);
        data.extend((BEGUN + second).to_le_bytes());
        data.extend((548_000_000 + second % 1_000_000).to_le_bytes());
        data.extend((170_000_000 + second * 7 % 1_000_000).to_le_bytes());
        data.extend((4_000 + (second % 90) as u16).to_le_bytes());
        data.push(pulse);
        data.extend((2_000 + (second % 900) as u16).to_le_bytes());
    }
    // The activity: its time and its local time.
    data.extend([0x41, 0, 0, 34, 0, 2, 253, 4, 0x86, 5, 4, 0x86, 1]);
    let end = BEGUN + first + RIDE_S;
    data.extend(end.to_le_bytes());
    data.extend((end + 3600).to_le_bytes());
    fit::framed(&data)
}

/// Repeats the records of a ride, each a second after the one before.
pub fn repeat(path: &Path, sample: &str, bytes: u64) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let (head, records) = sample.split_once('\n').unwrap_or_default();
    writeln!(out, "{head}")?;
    let (mut written, mut at) = (0, 1_500_000_000u64);
    while written < bytes {
        for record in records.lines() {
            // The last column is the time.
            let (values, _) = record.rsplit_once(',').unwrap_or_default();
            let line = format!("{values},{at}\n");
            out.write_all(line.as_bytes())?;
            written += line.len() as u64;
            at += 1;
        }
    }
    out.flush()
}
