/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The energy panel: figures by day come from Jeedom's history; months, years, totals and comparisons are made here.
 * It knows kinds of figures (consumption, production, cost, gain, ...), no system.
 */
(function () {
  'use strict'

  const root = document.getElementById('div_jeenergiePanel')
  if (root === null) {
    return
  }
  const KINDS = {
    energy: ['consumption', 'production', 'solar'],
    money: ['cost', 'gain']
  }
  const TEXTS = {
    consumption: '{{Consommation}}',
    production: '{{Production}}',
    solar: '{{Production solaire}}',
    cost: '{{Coût}}',
    gain: '{{Rémunération}}'
  }
  const COLORS = { consumption: '#3a7fd5', cost: '#3a7fd5', production: '#e0a100', solar: '#f3c84b', gain: '#e0a100' }
  const PARTS = {
    blue: '#2f6fd0', blueLight: '#8db4ee', white: '#c9ced6', whiteLight: '#e6e9ee', red: '#d64541', redLight: '#efa19f',
    HP: '#2c63b0', HC: '#7fb2ee'
  }
  const state = { equipment: [], chosen: [], period: 'day', at: new Date(), figure: 'energy', split: false, compare: false }
  let asked = 0

  function ask(action, request) {
    return new Promise((resolve, reject) => {
      domUtils.ajax({
        type: 'POST',
        url: 'plugins/jeenergie/core/ajax/jeenergiePanel.ajax.php',
        data: { action: action, request: JSON.stringify(request || {}) },
        dataType: 'json',
        global: false,
        error: (_request, _status, error) => reject(new Error(String(error))),
        success: (data) => (data.state === 'ok' ? resolve(data.result) : reject(new Error(data.result)))
      })
    })
  }

  const iso = (day) => {
    const two = (number) => String(number).padStart(2, '0')
    return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`
  }
  const language = String((window.jeeFrontEnd || {}).language || 'fr_FR').replace('_', '-')
  const number = (value, unit) => `${value.toLocaleString(language, { maximumFractionDigits: unit === '€' ? 2 : 1 })} ${unit}`

  // Which period, and its slots.

  function range(back) {
    const year = state.at.getFullYear() - back
    if (state.period === 'day') {
      const month = state.at.getMonth()
      return [new Date(year, month, 1), new Date(year, month + 1, 0)]
    }
    if (state.period === 'month') {
      return [new Date(year, 0, 1), new Date(year, 11, 31)]
    }
    return [new Date(year - 9, 0, 1), new Date(year, 11, 31)]
  }

  function slots() {
    const [first, last] = range(0)
    if (state.period === 'day') {
      return Array.from({ length: last.getDate() }, (_, index) => String(index + 1))
    }
    if (state.period === 'month') {
      return Array.from({ length: 12 }, (_, index) =>
        new Date(2000, index, 1).toLocaleDateString(language, { month: 'short' })
      )
    }
    return Array.from({ length: 10 }, (_, index) => String(first.getFullYear() + index))
  }

  function slotOf(day, first) {
    const [year, month, date] = day.split('-').map(Number)
    return state.period === 'day' ? date - 1 : state.period === 'month' ? month - 1 : year - first.getFullYear()
  }

  /** Sums of days by slot; a slot without a day stays empty. */
  function filled(days, first, length) {
    const sums = new Array(length).fill(null)
    Object.entries(days || {}).forEach(([day, value]) => {
      const slot = slotOf(day, first)
      if (slot >= 0 && slot < length) {
        sums[slot] = (sums[slot] || 0) + value
      }
    })
    return sums.map((value) => (value === null ? null : Math.round(value * 1000) / 1000))
  }

  // What is drawn.

  function wanted() {
    const found = []
    state.equipment.filter((each) => state.chosen.includes(each.id)).forEach((equipment) => {
      KINDS[state.figure].forEach((kind) => {
        const whole = equipment.series.filter((each) => each.kind === kind && each.part === '')
        const parts = equipment.series.filter((each) => each.kind === kind && each.part !== '')
        const rich = parts.filter((each) => each.color !== '')
        const shown = state.split && parts.length ? [...rich, ...parts.filter((each) => each.color === '')] : whole
        shown.forEach((each) => found.push({ ...each, equipment: equipment, stack: `${equipment.id} ${kind}`, whole: whole[0] }))
      })
    })
    return found
  }

  /** HP and HC are left out where a split by colour has figures: it would count the same twice. */
  function withoutDoubles(list, days) {
    const has = (each) => Object.keys(days[each.cmd] || {}).length > 0
    const colored = new Set(list.filter((each) => each.color !== '' && has(each)).map((each) => each.stack))
    return list.filter((each) => each.part === '' || (has(each) && (each.color !== '' || !colored.has(each.stack))))
  }

  function label(each, years) {
    const several = state.chosen.length > 1 ? `${each.equipment.name} – ` : ''
    const text = each.part !== '' ? `${TEXTS[each.kind] || each.kind} ${each.part}` : TEXTS[each.kind] || each.kind
    return `${several}${text}${years}`
  }

  function shade(each, index) {
    if (each.part !== '') {
      return PARTS[each.color] || PARTS[each.part] || undefined
    }
    const place = state.chosen.indexOf(each.equipment.id)
    const color = COLORS[each.kind]
    return place > 0 && color ? Highcharts.color(color).brighten(0.12 * place).get() : color
  }

  function unitOf(list) {
    return list.length ? list[0].unit : state.figure === 'money' ? '€' : 'kWh'
  }

  async function draw() {
    const turn = ++asked
    root.querySelector('.jpPeriod').textContent = title()
    const list = wanted()
    const cmds = list.map((each) => each.cmd)
    const [from, to] = range(0)
    try {
      const compare = state.compare && state.period !== 'year'
      const [before, beforeEnd] = range(1)
      const [now, past] = await Promise.all([
        cmds.length ? ask('days', { cmds: cmds, from: iso(from), to: iso(to) }) : {},
        cmds.length && compare ? ask('days', { cmds: cmds, from: iso(before), to: iso(beforeEnd) }) : {}
      ])
      if (turn !== asked || !document.body.contains(root)) {
        return
      }
      const labels = slots()
      const shown = withoutDoubles(list, now)
      const series = []
      if (compare) {
        withoutDoubles(list, past).forEach((each, index) => {
          const color = Highcharts.color(shade(each, index) || '#888888').setOpacity(0.35).get()
          const data = filled(past[each.cmd], before, labels.length)
          series.push({ name: label(each, ` ${before.getFullYear()}`), data: data, stack: `${each.stack} -`, color: color })
        })
      }
      shown.forEach((each, index) => {
        const years = compare ? ` ${from.getFullYear()}` : ''
        const data = filled(now[each.cmd], from, labels.length)
        series.push({ name: label(each, years), data: data, stack: each.stack, color: shade(each, index) })
      })
      totals(series, unitOf(list))
      chart(labels, series, unitOf(list))
      message(list.length === 0 ? '{{Aucune donnée de ce genre pour cet équipement.}}' : '')
    } catch (error) {
      message(error.message)
    }
  }

  function title() {
    if (state.period === 'day') {
      return state.at.toLocaleDateString(language, { month: 'long', year: 'numeric' })
    }
    const [first, last] = range(0)
    return state.period === 'month' ? String(first.getFullYear()) : `${first.getFullYear()} – ${last.getFullYear()}`
  }

  function totals(series, unit) {
    const place = root.querySelector('.jpTotals')
    place.textContent = ''
    series.forEach((each) => {
      const known = each.data.filter((value) => value !== null)
      if (!known.length) {
        return
      }
      const box = document.createElement('div')
      box.className = 'jpTotal'
      const figure = document.createElement('b')
      figure.textContent = number(known.reduce((sum, value) => sum + value, 0), unit)
      const name = document.createElement('small')
      name.textContent = each.name
      box.append(figure, name)
      place.append(box)
    })
  }

  function chart(labels, series, unit) {
    const style = getComputedStyle(root)
    const ink = style.color
    const faint = Highcharts.color(ink).setOpacity(0.15).get()
    const text = { color: ink }
    Highcharts.chart('jeenergiePanelChart', {
      chart: { type: 'column', backgroundColor: 'transparent', style: { fontFamily: style.fontFamily } },
      title: { text: null },
      credits: { enabled: false },
      exporting: { enabled: false },
      accessibility: { enabled: false },
      legend: { itemStyle: text, itemHoverStyle: text, itemHiddenStyle: { opacity: 0.5 } },
      xAxis: { categories: labels, labels: { style: text }, lineColor: faint, tickColor: faint },
      yAxis: { title: { text: unit, style: text }, labels: { style: text }, gridLineColor: faint },
      tooltip: { shared: true, valueSuffix: ` ${unit}`, valueDecimals: unit === '€' ? 2 : 1 },
      plotOptions: { column: { stacking: 'normal', borderWidth: 0, groupPadding: 0.12, pointPadding: 0.03, animation: false } },
      series: series
    })
  }

  function message(text) {
    const place = root.querySelector('.jpMessage')
    place.hidden = text === ''
    place.textContent = text
  }

  async function tile() {
    const place = root.querySelector('.jpTile')
    place.textContent = ''
    if (state.chosen.length !== 1) {
      return
    }
    const id = state.chosen[0]
    try {
      const found = await ask('tile', { id: id })
      if (state.chosen[0] === id) {
        domUtils.DOMparseHTML ? place.html(found.html) : (place.innerHTML = found.html)
      }
    } catch (error) {
      message(error.message)
    }
  }

  // What the user does.

  function marks() {
    root.querySelectorAll('[data-group]').forEach((group) => {
      group.querySelectorAll('[data-value]').forEach((button) => {
        const active = button.dataset.value === state[group.dataset.group]
        button.classList.toggle('active', active)
        button.setAttribute('aria-pressed', String(active))
      })
    })
    root.querySelectorAll('.jpEquipment [data-id]').forEach((button) => {
      const active = state.chosen.includes(button.dataset.id)
      button.classList.toggle('active', active)
      button.setAttribute('aria-pressed', String(active))
    })
    root.querySelector('[data-option="compare"]').disabled = state.period === 'year'
  }

  function move(step) {
    const { at, period } = state
    const months = period === 'day' ? step : period === 'month' ? 12 * step : 120 * step
    state.at = new Date(at.getFullYear(), at.getMonth() + months, 1)
  }

  function choose(id, more) {
    if (more) {
      const rest = state.chosen.filter((each) => each !== id)
      state.chosen = rest.length === state.chosen.length ? [...rest, id] : rest.length ? rest : [id]
    } else {
      state.chosen = [id]
    }
    tile()
  }

  root.addEventListener('click', (event) => {
    const button = event.target.closest('button')
    if (button === null || !root.contains(button)) {
      return
    }
    if (button.dataset.move) {
      move(Number(button.dataset.move))
    } else if (button.dataset.id) {
      choose(button.dataset.id, event.ctrlKey || event.metaKey || button.dataset.more === '1')
    } else if (button.closest('[data-group]')) {
      state[button.closest('[data-group]').dataset.group] = button.dataset.value
    } else {
      return
    }
    marks()
    draw()
  })
  root.addEventListener('change', (event) => {
    if (event.target.dataset.option) {
      state[event.target.dataset.option] = event.target.checked
      draw()
    }
  })
  document.body.addEventListener('changeThemeEvent', () => document.body.contains(root) && draw())

  ask('equipment').then((equipment) => {
    state.equipment = equipment
    const place = root.querySelector('.jpEquipment')
    equipment.forEach((each) => {
      const pair = document.createElement('span')
      pair.className = 'btn-group'
      const button = document.createElement('button')
      button.type = 'button'
      button.className = 'btn btn-sm btn-default'
      button.dataset.id = each.id
      button.textContent = each.object ? `${each.object} – ${each.name}` : each.name
      const more = document.createElement('button')
      more.type = 'button'
      more.className = 'btn btn-sm btn-default'
      more.dataset.id = each.id
      more.dataset.more = '1'
      more.title = "{{Afficher à côté, ou retirer}}"
      more.textContent = '+'
      pair.append(button, more)
      place.append(pair)
    })
    if (!equipment.length) {
      message("{{Aucun équipement n'a encore de valeurs d'énergie historisées.}}")
      return
    }
    choose(equipment[0].id, false)
    marks()
    draw()
  }).catch((error) => message(error.message))
})()
