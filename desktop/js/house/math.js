/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The house's picture and balance as numbers: what flows where, how wide, what is old or unknown, how figures are written.
 * Pure functions; they know no system and no element of a page. Powers in W, with the signs of the vocabulary (grid
 * + draws, battery + discharges); null: not known, which is never 0.
 */
window.jeenergieHouse = window.jeenergieHouse || {};

(function(house) {
  'use strict';

  /** An older value is not the state of now, unless the daemon has said within this time that it still holds. */
  const HEARD_AGAIN_S = 390;
  const ASK_EARLY_S = 60;
  /** What bars reach at least: the figures beside them have two decimals, and a day of which nothing is known has an axis. */
  const LEAST_KWH = 0.1;
  /** The powers of now, by the names that the daemon gives them. */
  const TOLD = { solarPower: 'solar', gridPower: 'grid', batteryPower: 'battery', power: 'house' };
  const TO_BASE = { W: 1, kW: 1000, MW: 1e6, VA: 1, kVA: 1000, Wh: 0.001, kWh: 1, MWh: 1000 };
  /** A flow below that is noise of the meters. */
  const NOISE_W = 5;
  /** Parts of a house that are so much more than it contradict it. */
  const CONTRADICTION_W = -100;
  const WIDEST = 16, THINNEST = 2, SCALE_LEAST_W = 2000;

  /** A value of Jeedom as a number, or null. */
  const number = (value) => (value === null || value === undefined || value === '' || isNaN(Number(value)) ? null : Number(value));
  const least = (...values) => Math.min(...values);
  const above = (value) => Math.max(value, 0);

  /**
   * A figure's state of now. `figure`: {value, unit, at: Unix time of the data}; `told`: what the daemon knows of it now
   * (a number, null: not known now, undefined: not asked). Returns {power, state: known, old or unknown, age in s}.
   */
  function stateOf(figure, told, now, toldAt) {
    const value = figure ? number(figure.value) : null;
    if (value === null) {
      return { power: null, state: 'unknown', age: null };
    }
    const age = figure.at ? above(now - figure.at) : null;
    // What the daemon has said does not hold for ever.
    const isVouched = told !== undefined && (toldAt === undefined || now - toldAt <= HEARD_AGAIN_S);
    const isOld = told === null || (!isVouched && (age === null || age > HEARD_AGAIN_S));
    return { power: value * (TO_BASE[figure.unit] || 1), state: isOld ? 'old' : 'known', age: age };
  }

  /** What flows where, as the daemon's balance does it; null if a part is not known. */
  function flows(grid, solar, battery) {
    if (grid === null || solar === null || battery === null) {
      return null;
    }
    let imported = above(grid), exported = above(-grid), sun = above(solar), charged = above(-battery), given = above(battery);
    let used = above(imported + sun + given - exported - charged);
    const first = least(above(imported - used), charged);
    imported -= first;
    charged -= first;
    const s2b = least(sun, charged);
    sun -= s2b;
    charged -= s2b;
    const s2g = least(sun, exported);
    sun -= s2g;
    exported -= s2g;
    const b2g = least(given, exported);
    given -= b2g;
    const more = least(imported, charged);
    imported -= more;
    const s2h = least(used, sun);
    used -= s2h;
    const b2h = least(used, given);
    used -= b2h;
    return { s2h: s2h, s2b: s2b, s2g: s2g, g2h: least(used, imported), g2b: first + more, b2h: b2h, b2g: b2g };
  }

  /** Width of a line: in proportion to the power, on a scale that the greatest one sets. */
  function width(power, greatest) {
    const scale = Math.max(greatest, SCALE_LEAST_W);
    return power < NOISE_W ? 0 : Math.round((THINNEST + (WIDEST - THINNEST) * least(power / scale, 1)) * 10) / 10;
  }

  /** Point and direction (degrees) at `t` (0 to 1) of a cubic curve [[x, y] x 4]. */
  function along(curve, t) {
    const [a, b, c, d] = curve, u = 1 - t;
    const at = (i) => u * u * u * a[i] + 3 * u * u * t * b[i] + 3 * u * t * t * c[i] + t * t * t * d[i];
    const slope = (i) => 3 * u * u * (b[i] - a[i]) + 6 * u * t * (c[i] - b[i]) + 3 * t * t * (d[i] - c[i]);
    return { x: at(0), y: at(1), angle: (Math.atan2(slope(1), slope(0)) * 180) / Math.PI };
  }

  /**
   * The whole picture. `data`: {values, has: [quantities], devices: [{id, name, kind, value, unit, at}], told: the
   * daemon's `now` or undefined, holds: it will say so, used: {<id>: boolean} or undefined}; `now`: Unix time.
   * Returns {nodes: {<id>: {power, state, age, mode}}, consumers: [...], flows, lines: [{from, to, power, color}]}.
   */
  function picture(data, now, noMore) {
    const told = (key) => (data.told ? (key in data.told ? data.told[key] : null) : data.holds || undefined);
    const nodes = {
      solar: stateOf(data.values.solarPower, told('solar'), now, data.toldAt),
      grid: stateOf(data.values.gridPower, told('grid'), now, data.toldAt),
      battery: stateOf(data.values.batteryPower, told('battery'), now, data.toldAt),
      house: stateOf(data.values.power, told('house'), now, data.toldAt)
    };
    const has = (part) => data.has.some((each) => each.startsWith(part + '.'));
    const powers = {};
    ['grid', 'solar', 'battery'].forEach((id) => {
      powers[id] = nodes[id].state === 'known' ? nodes[id].power : null;
    });
    ['solar', 'battery'].forEach((id) => {
      if (!has(id)) {
        delete nodes[id];
        powers[id] = 0;
      }
    });
    const consumers = consumersOf(data, now, noMore === undefined ? 4 : noMore);
    nodes.base = baseOf(nodes.house, consumers);
    const found = flows(powers.grid, powers.solar, powers.battery);
    nodes.grid.mode = mode(powers.grid, 'draws', 'feeds');
    if (nodes.solar) nodes.solar.mode = mode(powers.solar, 'produces', 'still');
    if (nodes.battery) nodes.battery.mode = mode(powers.battery, 'discharges', 'charges');
    return { nodes: nodes, consumers: consumers, flows: found, lines: lines(found, consumers, nodes) };
  }

  /** What the house uses beside its consumers. Not known without one of them, nor where they are more than the house. */
  function baseOf(whole, consumers) {
    const isKnown = whole.state === 'known' && consumers.every((each) => each.state === 'known');
    const rest = isKnown ? consumers.reduce((left, each) => left - each.power, whole.power) : null;
    return isKnown && rest >= CONTRADICTION_W ? { power: above(rest), state: 'known', age: whole.age } : { power: null, state: 'unknown', age: null };
  }

  const mode = (power, plus, minus) => (power === null ? 'unknown' : power >= NOISE_W ? plus : power <= -NOISE_W ? minus : 'still');

  /** Chargers first, then the greatest loads; the others are added up in one. */
  function consumersOf(data, now, most) {
    const told = data.told ? { ...data.told.chargers, ...data.told.loads } : null;
    const all = data.devices.filter((each) => !data.used || data.used[each.id] !== false).map((each) => ({
      id: each.id, name: each.name, kind: each.kind,
      ...stateOf(each, told ? (each.id in told ? told[each.id] : undefined) : undefined, now, data.toldAt)
    }));
    all.sort((a, b) => (b.kind === 'charger') - (a.kind === 'charger') || (b.power || 0) - (a.power || 0) || a.name.localeCompare(b.name));
    if (all.length <= most) {
      return all;
    }
    const others = all.slice(most - 1);
    const known = others.filter((each) => each.state === 'known');
    return [...all.slice(0, most - 1), {
      id: 'others', name: '', kind: 'load', count: others.length,
      power: known.length ? known.reduce((sum, each) => sum + each.power, 0) : null,
      state: known.length === others.length ? 'known' : known.length ? 'partial' : 'unknown', age: null
    }];
  }

  const ENDS = { s: 'solar', g: 'grid', b: 'battery', h: 'house' };

  function lines(found, consumers, nodes) {
    const result = [];
    if (found) {
      Object.entries(found).forEach(([key, power]) => {
        const from = ENDS[key[0]], to = ENDS[key[2]];
        if (power >= NOISE_W) {
          result.push({ from: from, to: to, power: power, color: to === 'grid' ? 'export' : from });
        }
      });
    } else {
      // What flows is not known; that the parts are joined is.
      Object.keys(nodes).filter((id) => id !== 'house' && id !== 'base')
        .forEach((id) => result.push({ from: id, to: 'house', power: null, color: 'edge' }));
    }
    consumers.forEach((each) => {
      if (each.state === 'known' && each.power >= NOISE_W) {
        result.push({ from: 'house', to: each.id, power: each.power, color: each.kind });
      } else if (each.state !== 'known') {
        result.push({ from: 'house', to: each.id, power: null, color: 'edge' });
      }
    });
    const greatest = Math.max(0, ...result.map((each) => each.power || 0));
    result.forEach((each) => { each.width = each.power === null ? 1.5 : width(each.power, greatest); });
    return result;
  }

  /**
   * Whether it should be asked what still holds. Jeedom tells nothing of a value that stays the same: a power that flows
   * changes all the time, so that one without news for `quiet` seconds may be old; one at rest stays as it is, and is asked
   * after before it would count as old. `toldAt`: when the daemon was asked last (Unix time), undefined: never.
   */
  function isDoubtful(figures, now, quiet, toldAt) {
    return figures.some((each) => {
      const value = each ? number(each.value) : null;
      if (value === null) return false;
      const isFlowing = Math.abs(value) >= NOISE_W;
      const since = isFlowing ? each.at || 0 : Math.max(each.at || 0, toldAt || 0);
      return now - since > (isFlowing ? quiet : HEARD_AGAIN_S - ASK_EARLY_S);
    });
  }

  /** What a production and a consumption consist of, by the flows of a balance (kWh); null if they are not known. */
  function split(figures) {
    const flow = figures && figures.flows;
    if (!flow) {
      return null;
    }
    return {
      production: [['used', flow.s2h], ['stored', flow.s2b], ['sold', flow.s2g]],
      consumption: [['sun', flow.s2h], ['battery', flow.b2h], ['grid', flow.g2h]]
    };
  }

  /** Length of a bar in % among all of them (kWh): what is next to nothing looks so, also where it is the most. */
  function share(energy, all) {
    return 100 * Math.max(energy, 0) / Math.max(...all, 0.1);
  }

  /** Change against a year before in %, or null where there is nothing to compare with. */
  function change(value, before) {
    return value === null || value === undefined || !before ? null : Math.round(100 * (value / before - 1));
  }

  /** First and last day and length of the rows of a period; `at`: a Date in it. `all`: as far as the book goes. */
  function span(period, at) {
    const year = at.getFullYear(), month = at.getMonth(), day = at.getDate();
    const monday = day - ((at.getDay() + 6) % 7);
    const spans = {
      day: [new Date(year, month, day), new Date(year, month, day), 'hour'],
      week: [new Date(year, month, monday), new Date(year, month, monday + 6), 'day'],
      month: [new Date(year, month, 1), new Date(year, month + 1, 0), 'day'],
      year: [new Date(year, 0, 1), new Date(year, 11, 31), 'month'],
      all: [null, null, 'year']
    };
    const [first, last, per] = spans[period];
    return { from: first && iso(first), to: last && iso(last), per: per };
  }

  /** The same period, so many steps further. */
  function moved(period, at, step) {
    const [year, month, day] = [at.getFullYear(), at.getMonth(), at.getDate()];
    const days = { day: step, week: 7 * step }[period];
    if (days !== undefined) {
      return new Date(year, month, day + days);
    }
    return new Date(year + (period === 'year' ? step : 0), month + (period === 'month' ? step : 0), 1);
  }

  const two = (value) => String(value).padStart(2, '0');
  const iso = (day) => [day.getFullYear(), two(day.getMonth() + 1), two(day.getDate())].join('-');

  /** Every beginning of a row from the first to the last day, also of those that the daemon has nothing of. */
  function slots(answer, per) {
    if (per === 'year') {
      return answer.rows.map((row) => row.at);
    }
    const found = [];
    if (per === 'hour') {
      // A day has 23 or 25 hours twice a year: those that are there stand as they are, the others are added.
      const hours = answer.rows.map((row) => row.at);
      for (let hour = 0; hour < 24; hour++) {
        const start = answer.from + 'T' + two(hour), same = hours.filter((at) => at.startsWith(start));
        found.push(...(same.length ? same : [start + ':00']));
      }
      return found;
    }
    let at = new Date(answer.from + 'T12:00'), end = new Date(answer.to + 'T12:00');
    if (per === 'month') {
      at.setDate(1);
    }
    for (; at <= end; per === 'month' ? at.setMonth(at.getMonth() + 1) : at.setDate(at.getDate() + 1)) {
      found.push(iso(at));
    }
    return found;
  }

  /** How a figure is written: in a unit that fits, with three digits, in the user's language; "–" if it is not known. */
  function text(value, unit, language) {
    const known = number(value);
    if (known === null) {
      return '–';
    }
    const big = { W: 'kW', VA: 'kVA', Wh: 'kWh', kWh: 'MWh' }[unit];
    const rise = unit === 'kWh' ? 10000 : 1000;
    const [scaled, shown] = big && Math.abs(known) >= rise ? [known / 1000, big] : [known, unit];
    const size = Math.abs(scaled);
    const digits = shown === '€' ? 2 : shown === '€/kWh' ? 4 : shown === '%' || shown === 'W' || shown === 'VA' || size >= 100 ? 0 : size >= 10 ? 1 : 2;
    const rounded = Number(scaled.toFixed(digits)) || 0;
    const least = shown === '€' || shown === '€/kWh' ? digits : 0;
    return rounded.toLocaleString(language, { minimumFractionDigits: least, maximumFractionDigits: digits })
      .replace('-', '\u2212') + '\u00a0' + shown;
  }

  /** An age as [number, unit of time], in the largest unit of which there is a whole one. */
  function age(seconds) {
    const units = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];
    const [size, unit] = units.find(([each]) => seconds >= each) || [1, 'second'];
    return [Math.floor(seconds / size), unit];
  }

  const COLUMNS = ['house', 'solar', 'import', 'export', 'charged', 'discharged'];
  const MONEY = ['selfConsumption', 'autonomy', 'cost', 'revenue', 'savings', 'co2', 'known'];

  /** A balance as a file for a spreadsheet: one line a row. What is not known is an empty field. */
  function csv(answer, heads) {
    const flowNames = ['s2h', 's2b', 's2g', 'g2h', 'g2b', 'b2h', 'b2g'];
    const keys = ['at', ...COLUMNS, ...flowNames, ...MONEY];
    const field = (value) => (value === null || value === undefined ? '' : typeof value === 'number' ? String(Math.round(value * 1e4) / 1e4) : String(value));
    const more = beside(answer), quoted = (name) => '"' + name.replace(/"/g, '""') + '"';
    const lines = rows(answer).map((row) => [...keys.map((key) => flowNames.includes(key) ? row.flows && row.flows[key] : row[key]), ...more.map((each) => each.at[row.at])].map(field).join(','));
    return [[...keys.map((key) => heads[key] || key), ...more.map((each) => each.head)].map(quoted).join(','), ...lines, ''].join('\r\n');
  }

  /** Columns of gas and water: [{head, unit, at: {<row>: number}}]. */
  function beside(answer) {
    return (answer.fluids || []).flatMap((each) => [[each.unit, each.rows], ['kWh', each.energies], ['€', each.costs]]
      .map(([unit, at]) => ({ head: each.name + ' ' + unit, unit: unit, at: at })))
      .filter((each) => Object.keys(each.at).length);
  }

  /** The rows of an answer, and those in which gas or water alone is known. */
  function rows(answer) {
    const more = beside(answer), known = Object.fromEntries(answer.rows.map((row) => [row.at, row]));
    if (!more.length) return answer.rows;
    more.forEach((each) => Object.keys(each.at).forEach((at) => { known[at] = known[at] || { at: at }; }));
    return Object.keys(known).sort().map((at) => known[at]);
  }

  /** A round number from a value up: 1, 2 or 5 times a power of ten. */
  function round(value) {
    const power = Math.pow(10, Math.floor(Math.log10(value)));
    return power * ([1, 2, 5].find((each) => each * power >= value) || 10);
  }

  /** The levels (kWh) at which a picture that goes `least` below zero and `most` above it has its lines. */
  function levels(least, most) {
    const step = round((most + least) / 6), first = -Math.floor(least / step);
    return Array.from({ length: Math.floor(most / step) - first + 1 }, (_, index) => (first + index) * step);
  }

  house.math = {
    TOLD: TOLD,
    NOISE_W: NOISE_W, HEARD_AGAIN_S: HEARD_AGAIN_S, number: number, stateOf: stateOf, isDoubtful: isDoubtful, flows: flows, width: width, along: along,
    picture: picture, split: split, change: change, span: span, moved: moved, slots: slots, text: text, age: age, csv: csv, beside: beside, rows: rows,
    LEAST_KWH: LEAST_KWH, levels: levels, share: share
  };
})(window.jeenergieHouse);
