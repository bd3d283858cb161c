<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Tiles;

use cmd;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Pages\Typography;
use Jeenergie\Storage\Json;
use translate;

/**
 * The HTML of the parts of a tile: figure, row, gauge, bar, state, list, table, buttons, switch, roof.
 *
 * Elements that show a value carry data-jt-value with the id of its command: desktop/js/tiles.js writes new values into
 * them, nothing is rendered again.
 */
final class Parts
{
    /** @var array words of the user's language, which every value needs */
    private static $words = [];

    private const FIGURES_PER_LINE = 2;
    /** The mobile application would give it its own look, in which one does not see the one that is pressed. */
    private const BUTTON = '<button type="button" data-role="none" class="jtButton"';
    /** How the date of a period is written: in French, and in English, where one would read 29/11 as a month that does not exist. */
    private const PERIODS = ['day' => ['d/m', 'M j'], 'month' => ['m/Y', 'M Y'], 'year' => ['Y', 'Y']];

    public static function html(array $parts, string $version): string
    {
        return implode('', array_map(fn(array $part): string => self::part($part, $version), $parts));
    }

    private static function part(array $part, string $version): string
    {
        switch ($part['part']) {
            case 'figure':
                return self::line($part, 'jtFigure');
            case 'gauge':
                return self::line($part, 'jtRow', self::meter($part, 100));
            case 'bar':
                return self::line($part, 'jtRow', self::meter($part, self::most($part)));
            case 'state':
                return '<div class="jtState">' . self::value($part['cmd'], $part) . '</div>';
            case 'list':
                $label = isset($part['label']) ? '<div class="jtHead">' . self::text($part['label']) . '</div>' : '';
                $waiting = isset($part['waiting']) ? '<div class="jtWaiting">' . self::text($part['waiting']) . '</div>' : '';
                return $label . '<div class="jtList">' . self::html($part['rows'], $version) . $waiting . '</div>';
            case 'table':
                return self::table($part);
            case 'buttons':
                return self::buttons($part['buttons']);
            case 'switch':
                return '<div class="jtState">' . self::value($part['cmd'], ['words' => self::onOff()] + $part) . '</div>'
                    . self::buttons($part['buttons']);
            case 'widgets':
                return implode('', array_map(fn(cmd $cmd): string => $cmd->toHtml($version), $part['widgets']));
            case 'more':
                return '<details class="jtMore"><summary>' . self::text(__('Détails', __FILE__)) . '</summary>'
                    . self::html($part['parts'], $version) . '</details>';
            case 'choice':
                return self::choice($part);
            case 'sentence':
                return '<div class="jtSentence">' . self::value($part['cmd'], $part) . '</div>';
            case 'link':
                return self::link($part, $version);
            case 'roof':
                return Roof::html($part['panels']);
        }
        return self::line($part, 'jtRow');
    }

    /** A label with its value, and what follows below. */
    private static function line(array $part, string $class, string $below = ''): string
    {
        $value = self::value($part['cmd'], $part);
        $label = self::text($part['label']);
        if (isset($part['plus'])) {
            $words = [];
            foreach (['plus', 'minus', 'zero'] as $sign) {
                $words[] = 'data-jt-' . $sign . '="' . self::text($part[$sign] ?? $part['label']) . '"';
            }
            // An arrow shows where a flow goes; a figure that is more or less than zero goes nowhere.
            $flow = isset($part['quantity']) ? 'jtFlow' : 'jtFlow jtPlain';
            $label = '<span class="' . $flow . '" data-jt-sign="' . self::sign($part['cmd']->execCmd()) . '" ' . implode(' ', $words) . '>'
                . self::text(self::direction($part)) . '</span>';
        }
        $color = ($part['color'] ?? '') === '' ? '' : ' style="--jt-color:' . $part['color'] . '"';
        return '<div class="jtLine ' . $class . '"' . $color . self::unless($part) . '><span class="jtLabel">' . $label . '</span>' . $value . $below . '</div>';
    }

    /** Attributes of a line that another info hides. */
    private static function unless(array $part): string
    {
        $other = $part['unless']['cmd'] ?? null;
        if ($other === null) {
            return '';
        }
        return ' data-jt-other="' . $other->getId() . '" data-jt-unless="' . self::text(Json::encode($part['unless']['is'])) . '"'
            . (in_array((string) $other->execCmd(), $part['unless']['is'], true) ? ' hidden' : '');
    }

    /** What a part with directions says of the sign of its value: "Injection réseau". */
    public static function direction(array $part): string
    {
        return $part[self::sign($part['cmd']->execCmd())] ?? $part['label'];
    }

    private static function sign($value): string
    {
        return !is_numeric($value) || round((float) $value) == 0 ? 'zero' : ($value > 0 ? 'plus' : 'minus');
    }

    /** What a part says of its command, as it is written: a word, or a number in a unit that fits. */
    public static function plain(array $part): string
    {
        $cmd = $part['cmd'];
        $words = $part['words'] ?? ($part['part'] === 'switch' ? self::onOff() : null);
        $words = $words ?? ($cmd->getSubType() === 'binary' ? self::yesNo() : null);
        $kind = $words !== null ? 'word' : ($cmd->getSubType() === 'numeric' ? 'number' : 'text');
        return self::written($kind, $cmd->execCmd(), ['words' => $words] + $part, Figure::unit($cmd));
    }

    /** A value as it is written, with what the browser needs to write the next one. */
    public static function value(cmd $cmd, array $part = []): string
    {
        $value = $cmd->execCmd();
        $words = $part['words'] ?? ($cmd->getSubType() === 'binary' ? self::yesNo() : null);
        $kind = $words !== null ? 'word' : ($cmd->getSubType() === 'numeric' ? 'number' : 'text');
        $data = ['value' => $cmd->getId(), 'kind' => $kind, 'raw' => (string) $value];
        if ($kind === 'number') {
            $data['unit'] = Figure::unit($cmd);
            $data['signed'] = isset($part['plus']) ? '1' : '';
        } elseif ($kind === 'word') {
            $data['words'] = Json::encode($words);
            $data['tones'] = isset($part['tones']) ? Json::encode($part['tones']) : '';
            $data['tone'] = $part['tones'][(string) $value] ?? '';
        }
        $attributes = '';
        foreach ($data as $name => $each) {
            $attributes .= ' data-jt-' . $name . '="' . self::text((string) $each) . '"';
        }
        $shown = self::text(self::written($kind, $value, $part + ['words' => $words], Figure::unit($cmd)));
        $chip = $kind === 'text' ? self::chip((string) $value) : '';
        $span = '<span class="jtValue"' . $attributes . '>' . $chip . $shown . '</span>';
        if ($cmd->getIsHistorized() != 1) {
            return $span;
        }
        $label = self::text(sprintf(self::$words['history'] = self::$words['history'] ?? __('Historique : %s', __FILE__), $cmd->getName()));
        return '<span class="cmd history cursor jtHistory" data-type="info" data-cmd_id="' . $cmd->getId()
            . '" role="button" tabindex="0" title="' . $label . '">' . $span . '</span>';
    }

    private static function written(string $kind, $value, array $part, string $unit): string
    {
        if ($kind === 'word') {
            return (string) ($part['words'][(string) $value] ?? ((string) $value === '' ? '–' : $value));
        }
        if ($kind === 'number' && isset($part['plus']) && is_numeric($value)) {
            $value = abs((float) $value);
        }
        $text = Figure::text($value, $kind === 'number' ? $unit : '');
        return $kind === 'number' ? $text : Typography::bound($text);
    }

    private static function chip(string $value): string
    {
        $color = Catalogue::tiles()['chips'][mb_strtolower($value)] ?? null;
        $colors = Catalogue::quantities()['colors'];
        return '<i class="jtChip" aria-hidden="true"' . ($color === null ? ' hidden' : ' style="background:' . $colors[$color] . '"') . '></i>';
    }

    private static function meter(array $part, float $most): string
    {
        $raw = $part['cmd']->execCmd();
        $value = (float) $raw;
        $share = $most > 0 ? max(0, min(100, 100 * $value / $most)) : 0;
        return '<span class="jtMeter" role="meter" aria-label="' . self::text($part['label']) . '" aria-valuemin="0" aria-valuemax="'
            . $most . '" aria-valuenow="' . max(0, min($most, $value)) . '" data-jt-meter="' . $part['cmd']->getId() . '"'
            . (is_numeric($raw) ? '' : ' hidden') . '><i style="width:' . round($share, 1) . '%"></i></span>';
    }

    private static function most(array $part): float
    {
        $most = $part['most'] ?? null;
        $most = $most instanceof cmd ? $most->execCmd() : $most;
        return is_numeric($most) && $most > 0 ? (float) $most : max(1.0, (float) $part['cmd']->getConfiguration('maxValue', 60));
    }

    /**
     * A line for each period, so that even two figures of five digits find room on a narrow tile; more follow below.
     *
     * @param array $part {rows: [{label, <column>: cmd}], columns: [heading]; without them the dates of day, month, year}
     */
    private static function table(array $part): string
    {
        $columns = isset($part['columns']) ? array_keys($part['columns']) : array_keys(self::PERIODS);
        $html = '';
        foreach (array_chunk(array_values($part['rows']), self::FIGURES_PER_LINE) as $figures) {
            $head = '<td></td>';
            foreach ($figures as $figure) {
                $head .= '<th scope="col">' . self::text($figure['label']) . '</th>';
            }
            $body = '';
            foreach ($columns as $column) {
                $cmds = array_column($figures, $column);
                if ($cmds === []) {
                    continue;
                }
                $heading = $part['columns'][$column] ?? self::date((string) $column, $cmds);
                $body .= '<tr><th scope="row">' . self::text($heading) . '</th>';
                foreach ($figures as $figure) {
                    $body .= '<td>' . (isset($figure[$column]) ? self::value($figure[$column]) : '') . '</td>';
                }
                $body .= '</tr>';
            }
            $html .= '<table class="jtTable"><thead><tr>' . $head . '</tr></thead><tbody>' . $body . '</tbody></table>';
        }
        return $html;
    }

    /** @param cmd[] $cmds whose newest date is the heading */
    private static function date(string $period, array $cmds): string
    {
        $time = strtotime(max(array_map(fn(cmd $cmd): string => (string) $cmd->getCollectDate(), $cmds)));
        $isFrench = strpos(translate::getLanguage(), 'fr') === 0;
        return $time === false ? '' : date(self::PERIODS[$period][$isFrench ? 0 : 1], $time);
    }

    private static function buttons(array $buttons): string
    {
        $html = '';
        foreach ($buttons as $each) {
            $while = '';
            if ($each['while'] !== null) {
                $while = ' data-jt-follows="' . $each['info']->getId() . '" data-jt-while="' . self::text((string) $each['while']) . '"'
                    . ((string) (int) $each['info']->execCmd() === (string) $each['while'] ? '' : ' hidden');
            }
            $html .= self::BUTTON . ' data-jt-run="' . $each['cmd']->getId() . '"' . $while . '>'
                . self::text($each['label']) . '</button>';
        }
        return '<div class="jtButtons">' . $html . '</div>';
    }

    /** The choices of an action as buttons, of which the one that holds is pressed. */
    private static function choice(array $part): string
    {
        $html = '';
        $value = (string) $part['cmd']->execCmd();
        foreach ($part['choices'] as $choice => $word) {
            $html .= self::BUTTON . ' data-jt-run="' . $part['action']->getId() . '" data-jt-select="'
                . self::text((string) $choice) . '" data-jt-word="' . self::text($word) . '" aria-pressed="'
                . ($value === $word ? 'true' : 'false') . '">' . self::text($word) . '</button>';
        }
        return '<div class="jtChoice" role="group" aria-label="' . self::text($part['label']) . '" data-jt-chosen="'
            . $part['cmd']->getId() . '">' . $html . '</div>';
    }

    /** To a page of the plugin about an equipment; the mobile application loads pages by itself. */
    private static function link(array $part, string $version): string
    {
        $page = self::text($part['page']);
        $where = $version === 'mobile'
            ? 'href="#" data-jt-page="' . $page . '" data-jt-option="' . $part['id'] . '"'
            : 'href="index.php?v=d&amp;m=jeenergie&amp;p=' . $page . '&amp;id=' . $part['id'] . '"';
        return '<a class="jtLink" ' . $where . '>' . self::text($part['label']) . '</a>';
    }

    private static function onOff(): array
    {
        return ['0' => __('Éteint', __FILE__), '1' => __('Allumé', __FILE__)];
    }

    private static function yesNo(): array
    {
        return self::$words['yesNo'] = self::$words['yesNo'] ?? ['0' => __('Non', __FILE__), '1' => __('Oui', __FILE__)];
    }

    public static function text(string $text): string
    {
        return htmlspecialchars($text, ENT_QUOTES);
    }
}
