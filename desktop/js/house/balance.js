/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Draws the balance of a day, week, month, year or of all time: totals beside those of a year before, where the production
 * went and the consumption came from, bars by row, devices as shares of the house, a table, and a file of it.
 */
(function(house) {
  'use strict';

  const math = house.math, make = house.make, element = house.svg;
  const PARTS = {
    used: ['{{utilisé aussitôt}}', 'solar'], stored: ['{{mis en batterie}}', 'battery'], sold: ['{{vendu}}', 'export'],
    sun: ['{{soleil}}', 'solar'], battery: ['{{batterie}}', 'battery'], grid: ['{{réseau}}', 'grid']
  };
  const TOTALS = [
    ['house', '{{Consommation}}', 'kWh'], ['solar', '{{Production}}', 'kWh'], ['import', '{{Soutirage}}', 'kWh'], ['export', '{{Injection}}', 'kWh'],
    ['cost', '{{Coût}}', '€'], ['revenue', '{{Revente}}', '€'], ['savings', '{{Économies}}', '€'],
    ['selfConsumption', '{{Autoconsommation}}', '%'], ['autonomy', '{{Autonomie}}', '%'], ['co2', '{{CO₂}}', 'kg']
  ];
  const HEADS = {
    at: '{{Début}}', house: '{{Consommation kWh}}', solar: '{{Production kWh}}', import: '{{Soutirage kWh}}', export: '{{Injection kWh}}',
    charged: '{{Charge batterie kWh}}', discharged: '{{Décharge batterie kWh}}', s2h: '{{Soleil vers maison kWh}}', s2b: '{{Soleil vers batterie kWh}}',
    s2g: '{{Soleil vers réseau kWh}}', g2h: '{{Réseau vers maison kWh}}', g2b: '{{Réseau vers batterie kWh}}', b2h: '{{Batterie vers maison kWh}}',
    b2g: '{{Batterie vers réseau kWh}}', selfConsumption: '{{Autoconsommation %}}', autonomy: '{{Autonomie %}}', cost: '{{Coût €}}', revenue: '{{Revente €}}',
    savings: '{{Économies €}}', co2: '{{CO₂ kg}}', known: '{{Part connue %}}'
  };

  /** Title of a period. */
  function title(period, at, answer, language) {
    const day = (date, how) => date.toLocaleDateString(language, how);
    if (period === 'day') return day(at, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
    if (period === 'month') return day(at, { month: 'long', year: 'numeric' });
    if (period === 'year') return String(at.getFullYear());
    const whole = { day: 'numeric', month: 'short', year: 'numeric' };
    const from = period === 'all' ? answer.since : answer.from;
    return from ? day(new Date(from + 'T12:00'), whole) + ' – ' + day(new Date(answer.to + 'T12:00'), whole) : '';
  }

  function totals(place, answer, data) {
    const old = answer.before || {};
    const without = !data.has.some((each) => /^(solar|battery)\./.test(each)) && !answer.total.solar;
    const solar = ['solar', 'export', 'revenue', 'savings', 'selfConsumption', 'autonomy'];
    const shown = TOTALS.filter(([key]) => !(without && solar.includes(key)) && !(answer.total[key] === null && key === 'co2'));
    place.replaceChildren(...shown.map(([key, label, unit]) => {
      const box = make('div', 'jhTotal');
      const value = answer.total[key];
      const written = make('b', '', math.text(value, unit, data.language));
      if (value === null) written.title = '{{Pas connu : trop peu de cette période a été mesuré, ou le prix manque.}}';
      box.append(written, make('small', '', label));
      const isShare = unit === '%';
      const change = isShare && value !== null && old[key] !== null && old[key] !== undefined ? Math.round(value - old[key]) : isShare ? null : math.change(value, old[key]);
      if (change !== null && value !== null) {
        const sign = change > 0 ? '+' : change < 0 ? '−' : '±';
        box.append(make('em', '', sign + Math.abs(change) + (isShare ? ' pts' : ' %')));
        box.title = '{{Un an avant, au même moment :}} ' + math.text(old[key], unit, data.language);
      }
      return box;
    }));
  }

  /** One bar split into parts, and the same in words. */
  function splitBar(label, parts, data) {
    const sum = parts.reduce((total, [, value]) => total + value, 0);
    const place = make('div', 'jhSplit');
    place.append(make('div', 'jhSplitName', label + ' ' + math.text(sum, 'kWh', data.language)));
    const bar = make('div', 'jhBar');
    bar.setAttribute('aria-hidden', 'true');
    const legend = make('ul', 'jhLegend');
    parts.filter(([, value]) => value > 0.0005).forEach(([key, value]) => {
      const [name, color] = PARTS[key];
      const part = make('span');
      part.style.flexGrow = value / sum;
      part.style.background = data.colors[color];
      bar.append(part);
      legend.append(legendLine(data.colors[color], name + ' ' + math.text(value, 'kWh', data.language) + ' (' + math.text((100 * value) / sum, '%', data.language) + ')'));
    });
    place.append(bar, legend);
    return sum > 0.0005 ? place : null;
  }

  function legendLine(color, text) {
    const line = make('li'), chip = make('i');
    chip.style.background = color;
    line.append(chip, text);
    return line;
  }

  function splits(place, answer, data) {
    const parts = math.split(answer.total);
    place.replaceChildren(...(parts
      ? [splitBar('{{Consommation}}', parts.consumption, data), splitBar('{{Production}}', parts.production, data)].filter(Boolean)
      : [make('p', 'jhHint', answer.total.known === null ? "{{Rien n'a été mesuré dans cette période. Ce qui est mesuré paraît cinq minutes plus tard.}}"
        : "{{La répartition n'est pas connue : seule une partie de cette période a été mesurée}} (" + math.text(answer.total.known, '%', data.language) + ').')]));
  }

  function label(at, per, language) {
    if (per === 'year') return at.slice(0, 4);
    if (per === 'hour') return at.slice(11, 13);
    const date = new Date(at + 'T12:00');
    return per === 'month' ? date.toLocaleDateString(language, { month: 'short' }) : String(date.getDate());
  }

  /** Consumption above the line, what of the production did not stay in the house below it. */
  function bars(place, answer, per, data) {
    const slots = math.slots(answer, per);
    const rows = Object.fromEntries(answer.rows.map((row) => [row.at, row]));
    const width = Math.max(320, place.clientWidth || 700), height = 222, left = 44, bottom = 20, top = 22;
    const up = (row) => { const parts = math.split(row); return parts ? parts.consumption : []; };
    const down = (row) => { const parts = math.split(row); return parts ? parts.production.slice(1) : []; };
    const total = (parts) => parts.reduce((sum, [, value]) => sum + value, 0);
    const known = answer.rows;
    const most = Math.max(math.LEAST_KWH, ...known.map((row) => total(up(row)))), least = Math.max(0, ...known.map((row) => total(down(row))));
    const scale = (height - top - bottom) / (most + least), zero = top + most * scale;
    const svg = element('svg', { viewBox: '0 0 ' + width + ' ' + height, 'aria-hidden': 'true' });
    const step = (width - left) / Math.max(slots.length, 1), thick = Math.min(step * 0.72, 46);
    math.levels(least, most).forEach((value) => {
      const y = zero - value * scale;
      element('line', { x1: left, x2: width, y1: y, y2: y, class: value === 0 ? 'jhZero' : 'jhGrid' }, svg);
      element('text', { x: left - 5, y: y + 4, class: 'jhAxis', 'text-anchor': 'end' }, svg, math.text(Math.abs(value), 'kWh', data.language).replace(/\u00a0.*/, ''));
    });
    if (known.length) element('text', { x: left - 5, y: 10, class: 'jhAxis', 'text-anchor': 'end' }, svg, 'kWh');
    const every = Math.ceil(slots.length / (width / 34));
    slots.forEach((at, index) => {
      const row = rows[at], middle = left + step * (index + 0.5);
      const group = element('g', {}, svg);
      const one = (parts, direction) => {
        let y = zero;
        parts.forEach(([key, value]) => {
          const size = value * scale;
          if (size < 0.2) return;
          element('rect', { x: middle - thick / 2, y: direction > 0 ? y - size : y, width: thick, height: size, fill: data.colors[PARTS[key][1]] }, group);
          y -= direction * size;
        });
      };
      if (row) {
        one(up(row), 1);
        one(down(row), -1);
        const words = [...up(row), ...down(row)].map(([key, value]) => PARTS[key][0] + ' ' + math.text(value, 'kWh', data.language));
        element('title', {}, group, label(at, per, data.language) + '{{ : }}' + (words.join(', ') || '{{pas connu}}'));
      }
      if (row && !row.flows) element('text', { x: middle, y: zero - 4, class: 'jhAxis', 'text-anchor': 'middle' }, svg, '?');
      if (index % every === 0) element('text', { x: middle, y: height - 5, class: 'jhAxis', 'text-anchor': 'middle' }, svg, label(at, per, data.language));
    });
    place.replaceChildren(...(known.length ? [svg] : []));
  }

  function devices(place, answer, data) {
    const whole = answer.total.house;
    const all = answer.devices.map((each) => [each.name, each.energy, data.colors[each.kind] || data.colors.load]);
    if (all.length && answer.rest !== null) all.push(['{{Le reste de la maison}}', answer.rest, data.colors.house]);
    const fluids = answer.fluids || [];
    place.hidden = !all.length && !fluids.length;
    place.replaceChildren(...(all.length ? [make('h3', '', '{{Qui consomme}}')] : []), ...all.map(([name, energy, color]) => {
      const line = make('div', 'jhDevice'), bar = make('span', 'jhShare'), inner = make('i');
      inner.style.width = math.share(energy, all.map((each) => each[1])) + '%';
      inner.style.background = color;
      bar.append(inner);
      bar.setAttribute('aria-hidden', 'true');
      const share = whole ? ' · ' + math.text((100 * energy) / whole, '%', data.language) : '';
      line.append(make('span', 'jhDeviceName', name), bar, make('span', 'jhDeviceValue', math.text(energy, 'kWh', data.language) + share));
      return line;
    }), ...(fluids.length ? [make('h3', '', '{{Gaz et eau}}')] : []), ...fluids.map((each) => {
      const line = make('div', 'jhDevice'), text = (value, unit) => math.text(value, unit, data.language);
      const parts = [text(each.total, each.unit)];
      if (each.energy !== null) parts.push('≈ ' + text(each.energy, 'kWh'));
      if (each.cost !== null) parts.push(text(each.cost, '€'));
      if (each.known !== null && each.known < each.days) parts.push(each.known + ' {{jours sur}} ' + each.days);
      line.append(make('span', 'jhDeviceName', each.name), make('span', 'jhDeviceValue', parts.join(' · ')));
      return line;
    }));
  }

  function table(place, answer, per, data) {
    const keys = ['house', 'solar', 'import', 'export', 'cost', 'savings'];
    const units = { cost: '€', savings: '€' };
    const head = make('tr'), body = make('tbody');
    const beside = math.beside(answer);
    head.append(make('th', '', HEADS.at), ...keys.map((key) => make('th', '', TOTALS.find((each) => each[0] === key)[1])), ...beside.map((each) => make('th', '', each.head)));
    math.rows(answer).forEach((row) => {
      const line = make('tr');
      const name = per === 'hour' ? row.at.slice(11, 16) : per === 'day' ? new Date(row.at + 'T12:00').toLocaleDateString(data.language) : label(row.at, per, data.language);
      line.append(make('th', '', name), ...keys.map((key) => make('td', '', math.text(row[key], units[key] || 'kWh', data.language))),
        ...beside.map((each) => make('td', '', math.text(each.at[row.at], each.unit, data.language))));
      body.append(line);
    });
    const found = make('table'), top = make('thead');
    top.append(head);
    found.append(top, body);
    place.replaceChildren(found);
  }

  /** Draws an answer of the server's `balance` into the elements of `find`. */
  function draw(find, answer, period, at, data) {
    const per = math.span(period, at).per;
    find('.jhPeriod').textContent = title(period, at, answer, data.language);
    totals(find('.jhTotals'), answer, data);
    splits(find('.jhSplits'), answer, data);
    bars(find('.jhBars'), answer, per, data);
    devices(find('.jhDevices'), answer, data);
    table(find('.jhTable'), answer, per, data);
    const known = answer.total.known;
    const notes = [];
    if (known !== null && known < 99.5) notes.push('{{Mesuré à}} ' + math.text(known, '%', data.language) + '.');
    if (answer.total.estimated >= 1) notes.push('{{Dont placé dans le temps par estimation :}} ' + math.text(answer.total.estimated, '%', data.language) + '.');
    if (answer.total.reconstructed > 0) notes.push('{{Dont venant des historiques de Jeedom :}} ' + math.text(answer.total.reconstructed, '%', data.language) + '.');
    find('.jhKnown').textContent = notes.join(' ');
    find('.jhCsv').disabled = !math.rows(answer).length;
  }

  /** Lets the browser keep the rows as a file. */
  function download(answer) {
    const file = new Blob(['\ufeff' + math.csv(answer, HEADS)], { type: 'text/csv;charset=utf-8' });
    const link = make('a');
    link.href = URL.createObjectURL(file);
    link.download = 'jeenergie-' + answer.from + '-' + answer.to + '.csv';
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  house.balance = { draw: draw, download: download, title: title };
})(window.jeenergieHouse);
