using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;

namespace CalSync.Classes.People;

/// <summary>A country code of ITU-T E.164 and the numbers behind it.</summary>
/// <remarks>
/// The codes are those assigned by the ITU. Where the table gives lengths, they are those of the national
/// numbering plan for geographic and mobile numbers; elsewhere 4 to what E.164 leaves room for, so that a
/// wrong number may pass but no right one is refused.
/// </remarks>
/// <param name="Digits">1 to 3 digits.</param>
/// <param name="Regions">ISO 3166-1 alpha-2, the largest first; empty for codes of no country.</param>
/// <param name="Trunk">What is dialled before the number at home and not from abroad; empty for none.</param>
/// <param name="LengthMin">Fewest digits of a national number.</param>
/// <param name="LengthMax">Most digits of a national number.</param>
internal sealed record CallingCode(
    string Digits, ImmutableArray<string> Regions, string Trunk, int LengthMin, int LengthMax)
{
    private const int LengthMinAnywhere = 4;
    private const int E164LengthMax = 15;

    // code, regions, and where they are known: trunk prefix (- for none), shortest and longest number.
    private const string Table =
        """
        1 US,CA,AG,AI,AS,BB,BM,BS,DM,DO,GD,GU,JM,KN,KY,LC,MP,MS,PR,SX,TC,TT,VC,VG,VI 1 10 10
        7 RU,KZ 8 10 10
        20 EG 0 8 10
        27 ZA 0 9 9
        30 GR - 10 10
        31 NL 0 9 9
        32 BE 0 8 9
        33 FR 0 9 9
        34 ES - 9 9
        36 HU 06 8 9
        39 IT,VA - 6 11
        40 RO 0 9 9
        41 CH 0 9 9
        43 AT 0 4 13
        44 GB,GG,IM,JE 0 9 10
        45 DK - 8 8
        46 SE 0 7 10
        47 NO,SJ - 5 8
        48 PL - 9 9
        49 DE 0 5 13
        51 PE 0 8 9
        52 MX - 10 10
        53 CU
        54 AR 0 10 11
        55 BR 0 10 11
        56 CL - 9 9
        57 CO - 10 10
        58 VE 0 10 10
        60 MY 0 8 10
        61 AU,CC,CX 0 9 9
        62 ID 0 8 12
        63 PH 0 8 10
        64 NZ 0 8 10
        65 SG - 8 8
        66 TH 0 8 9
        81 JP 0 9 10
        82 KR 0 8 11
        84 VN 0 9 10
        86 CN 0 10 11
        90 TR 0 10 10
        91 IN 0 10 10
        92 PK 0 9 10
        93 AF
        94 LK 0 9 9
        95 MM
        98 IR 0 10 10
        211 SS
        212 MA,EH 0 9 9
        213 DZ 0 8 9
        216 TN - 8 8
        218 LY
        220 GM
        221 SN
        222 MR
        223 ML
        224 GN
        225 CI
        226 BF
        227 NE
        228 TG
        229 BJ
        230 MU
        231 LR
        232 SL
        233 GH 0 9 9
        234 NG 0 7 10
        235 TD
        236 CF
        237 CM
        238 CV
        239 ST
        240 GQ
        241 GA
        242 CG
        243 CD
        244 AO
        245 GW
        246 IO
        247 AC
        248 SC
        249 SD
        250 RW
        251 ET 0 9 9
        252 SO
        253 DJ
        254 KE 0 7 10
        255 TZ 0 9 9
        256 UG 0 9 9
        257 BI
        258 MZ
        260 ZM
        261 MG
        262 RE,YT
        263 ZW
        264 NA
        265 MW
        266 LS
        267 BW
        268 SZ
        269 KM
        290 SH,TA
        291 ER
        297 AW
        298 FO
        299 GL
        350 GI
        351 PT - 9 9
        352 LU
        353 IE 0 7 9
        354 IS - 7 9
        355 AL
        356 MT - 8 8
        357 CY - 8 8
        358 FI,AX 0 5 12
        359 BG 0 7 9
        370 LT
        371 LV - 8 8
        372 EE - 7 8
        373 MD
        374 AM
        375 BY
        376 AD
        377 MC
        378 SM
        380 UA 0 9 9
        381 RS
        382 ME
        383 XK
        385 HR 0 8 9
        386 SI 0 8 8
        387 BA
        389 MK
        420 CZ - 9 9
        421 SK 0 9 9
        423 LI
        500 FK
        501 BZ
        502 GT - 8 8
        503 SV - 8 8
        504 HN - 8 8
        505 NI - 8 8
        506 CR - 8 8
        507 PA - 7 8
        508 PM
        509 HT
        590 GP,BL,MF
        591 BO
        592 GY
        593 EC 0 8 9
        594 GF
        595 PY
        596 MQ
        597 SR
        598 UY
        599 CW,BQ
        670 TL
        672 NF
        673 BN
        674 NR
        675 PG
        676 TO
        677 SB
        678 VU
        679 FJ
        680 PW
        681 WF
        682 CK
        683 NU
        685 WS
        686 KI
        687 NC
        688 TV
        689 PF
        690 TK
        691 FM
        692 MH
        800
        808
        850 KP
        852 HK - 8 8
        853 MO - 8 8
        855 KH
        856 LA
        870
        878
        880 BD 0 8 10
        881
        882
        883
        886 TW 0 8 9
        888
        960 MV
        961 LB
        962 JO
        963 SY
        964 IQ
        965 KW - 8 8
        966 SA 0 8 9
        967 YE
        968 OM - 8 8
        970 PS
        971 AE 0 8 9
        972 IL 0 8 9
        973 BH - 8 8
        974 QA - 8 8
        975 BT
        976 MN
        977 NP 0 8 10
        979
        992 TJ
        993 TM
        994 AZ
        995 GE
        996 KG
        998 UZ
        """;

    private static readonly FrozenDictionary<string, CallingCode> ByDigits = Table.Split('\n')
        .Select(Parse).ToFrozenDictionary(code => code.Digits, StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, CallingCode> ByRegion = ByDigits.Values
        .SelectMany(code => code.Regions, (code, region) => (code, region))
        .ToFrozenDictionary(pair => pair.region, pair => pair.code, StringComparer.Ordinal);

    /// <summary>The code of a country; null when the text names none.</summary>
    /// <param name="region">ISO 3166-1 alpha-2 in any case.</param>
    public static CallingCode? OfRegion(string region) =>
        ByRegion.GetValueOrDefault(region.ToUpperInvariant());

    /// <summary>The code a number begins with; null when it begins with none. No code begins
    /// another.</summary>
    /// <param name="digits">Without plus sign.</param>
    public static CallingCode? OfDigits(string digits)
    {
        for (var length = 1; length <= Math.Min(3, digits.Length); length++)
        {
            if (ByDigits.TryGetValue(digits[..length], out var code))
                return code;
        }

        return null;
    }

    private static CallingCode Parse(string line)
    {
        var cells = line.Split(' ');
        var regions = cells.Length > 1 ? cells[1].Split(',').ToImmutableArray() : [];
        if (cells.Length < 5)
            return new(cells[0], regions, "", LengthMinAnywhere, E164LengthMax - cells[0].Length);
        return new(
            cells[0], regions, cells[2] == "-" ? "" : cells[2],
            int.Parse(cells[3], CultureInfo.InvariantCulture),
            int.Parse(cells[4], CultureInfo.InvariantCulture));
    }
}
