<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Pages\LiveValue;
use Jeenergie\Pages\PageActions;
use Jeenergie\Pages\Typography;
use Jeenergie\Tiles\Figure;
use Jeenergie\Tiles\Subject;
use Jeenergie\Tiles\Tile;

final class TileTest extends JeenergieTestCase
{
    private function meter(array $config = [], array $changes = [], array $rows = []): jeenergie
    {
        $catalogue = Catalogue::of($this->lab());
        $meter = $changes + $catalogue['equipment']['meter'];
        foreach (['day' => 'jour', 'month' => 'mois'] as $per => $name) {
            $meter['commands'][] = ['logicalId' => $per, 'name' => 'Conso ' . $name, 'type' => 'info',
                'subType' => 'numeric', 'unit' => 'kWh', 'measures' => ['quantity' => 'supply.energy', 'per' => $per]];
        }
        $meter['commands'][] = ['logicalId' => 'color', 'name' => 'Tempo jour', 'type' => 'info', 'subType' => 'string'];
        array_push($meter['commands'], ...$rows);
        $catalogue['equipment']['meter'] = $meter;
        $this->useCatalogue($catalogue);
        $equipment = Discovery::create($this->connection(), 'meter', '1', 'Meter', $config);
        return jeenergie::byId($equipment->getId());
    }

    private function content(jeenergie $eqLogic): string
    {
        $this->setStatic(Tile::class, 'isStyled', true);
        Subject::forget();
        return Tile::content(new Subject($eqLogic), 'dashboard');
    }

    /** What a reader sees of it, parts separated by "|". */
    private function read(jeenergie $eqLogic): string
    {
        $html = preg_replace('~<script>.*?</script>~s', '', $this->content($eqLogic));
        return trim(preg_replace('/[|\s]*\|[|\s]*/', '|', html_entity_decode(preg_replace('/<[^>]+>/', '|', $html))), '|');
    }

    private static function row(string $logicalId, string $unit, $measures): array
    {
        return ['logicalId' => $logicalId, 'name' => 'Cmd ' . $logicalId, 'type' => 'info', 'subType' => 'numeric',
            'unit' => $unit, 'measures' => $measures];
    }

    public function testTheUserChoosesBetweenTheTileByPurposeAndTheCores(): void
    {
        $meter = $this->meter();
        Memory::$config['template'] = '[#cmd#]';
        $this->assertStringContainsString('jtBody', $meter->toHtml());
        $meter->setConfiguration('config', ['tile' => 'core']);
        $this->assertSame('tile of the core', $meter->toHtml());
    }

    public function testTheListShowsTheFigureOfTheTileAndSaysStatesInItsWords(): void
    {
        $rows = [self::row('cost', '€', ['quantity' => 'supply.cost', 'per' => 'now']), self::row('litres', 'l', 'any')];
        $meter = $this->meter([], ['tile' => ['parts' => [['part' => 'figure', 'of' => 'litres', 'label' => 'Index']]]], $rows);
        $this->cmd($meter, 'cost')->setCache('value', 269);
        $this->assertSame('', LiveValue::of($meter)['text']);
        $this->cmd($meter, 'litres')->setCache('value', 854.37);
        $live = LiveValue::of($meter);
        $this->assertSame(['Index', "854\u{a0}L"], [$live['name'], $live['text']]);
        $this->assertStringContainsString($live['text'], $this->read($meter));
    }

    public function testTheListSaysADirectionInTheWordsOfTheTile(): void
    {
        $part = ['part' => 'figure', 'of' => 'surplus', 'label' => 'Surplus', 'plus' => 'Surplus', 'minus' => 'Manque'];
        $meter = $this->meter([], ['tile' => ['parts' => [$part]]], [self::row('surplus', 'W', 'any')]);
        $this->assertSame('', LiveValue::of($meter)['text']);
        foreach ([[-411, 'Manque'], [411, 'Surplus']] as [$watts, $word]) {
            $this->cmd($meter, 'surplus')->setCache('value', $watts);
            $this->assertSame("$word 411\u{a0}W", LiveValue::of($meter)['text']);
            $this->assertStringStartsWith("$word|411\u{a0}W", $this->read($meter));
            $this->assertStringContainsString('jtFlow jtPlain', $this->content($meter), 'no flow, no arrow');
        }
    }

    public function testALineThatAnotherValueMakesPointlessIsHiddenMeanwhile(): void
    {
        $rows = [self::row('state', '', 'any'), self::row('why', '', 'any')];
        $tile = ['parts' => [['part' => 'row', 'of' => 'why', 'label' => 'Motif', 'unless' => ['of' => 'state', 'is' => ['3']]]]];
        $meter = $this->meter([], ['tile' => $tile], $rows);
        $this->cmd($meter, 'state')->setCache('value', 2);
        $id = $this->cmd($meter, 'state')->getId();
        $mark = 'data-jt-other="' . $id . '" data-jt-unless="[&quot;3&quot;]"';
        $this->assertStringContainsString($mark . '>', $this->content($meter));
        $this->cmd($meter, 'state')->setCache('value', 3);
        $this->assertStringContainsString($mark . ' hidden>', $this->content($meter));
    }

    public function testALineCanWaitForItsFirstValue(): void
    {
        $tile = ['parts' => [['part' => 'row', 'of' => 'cost', 'label' => 'Prix', 'known' => true]]];
        $meter = $this->meter([], ['tile' => $tile], [self::row('cost', '€', 'any')]);
        $this->assertStringContainsString('data-jt-unless="[&quot;&quot;]" hidden>', $this->content($meter));
        $this->cmd($meter, 'cost')->setCache('value', 0);
        $this->assertStringContainsString('data-jt-unless="[&quot;&quot;]">', $this->content($meter));
    }

    public function testANameDoesNotRepeatTheUnit(): void
    {
        $rows = [['name' => 'Puissance (W)'] + self::row('watts', 'W', 'any')];
        $meter = $this->meter([], ['tile' => ['parts' => [['part' => 'figure', 'of' => 'watts']]]], $rows);
        $this->cmd($meter, 'watts')->setCache('value', 2050);
        $this->assertStringStartsWith("Puissance|2,05\u{a0}kW", $this->read($meter));
    }

    public function testNoLineBeginsWithFrenchPunctuationOrAUnit(): void
    {
        $vectors = json_decode(file_get_contents(__DIR__ . '/../../core/contract/vectors/sentences.json'), true);
        foreach ($vectors['cases'] as [$written, $bound]) {
            $this->assertSame($bound, Typography::bound($written));
        }
    }

    public function testTheListSaysAStateInTheWordsOfTheTile(): void
    {
        $words = ['0' => 'Inactive', '1' => 'Active'];
        $catalogue = Catalogue::of($this->lab());
        $catalogue['equipment']['meter'] = [
            'commands' => [['logicalId' => 'state', 'name' => 'Etat', 'type' => 'info', 'subType' => 'binary']], 'sets' => [],
            'tile' => ['parts' => [['part' => 'state', 'of' => 'state', 'label' => 'Entrée', 'words' => $words]]],
        ] + $catalogue['equipment']['meter'];
        $this->useCatalogue($catalogue);
        $input = jeenergie::byId(Discovery::create($this->connection(), 'meter', '1', 'Input', [])->getId());
        $this->assertSame('', LiveValue::of($input)['text']);
        $this->cmd($input, 'state')->setCache('value', 0);
        $this->assertSame('Inactive', LiveValue::of($input)['text']);
    }

    public function testWhatTheUserHasArrangedStaysUnlessHeAsksForTheTile(): void
    {
        $meter = $this->meter();
        Memory::$config['template'] = '[#cmd#]';
        $meter->setDisplay('layout::dashboard', 'table');
        $this->assertSame('tile of the core', $meter->toHtml());
        $meter->setConfiguration('config', ['tile' => 'own']);
        $this->assertStringContainsString('jtBody', $meter->toHtml());
    }

    public function testFiguresStandByPeriodAndTheRestIsFoldedAway(): void
    {
        $meter = $this->meter([], ['sets' => []]);
        $this->cmd($meter, 'day')->setCache('value', 12.34);
        $this->cmd($meter, 'month')->setCache('value', 321.9);
        $this->cmd($meter, 'color')->setCache('value', 'rouge');
        $this->assertStringContainsString("Conso|12,3\u{a0}kWh|322\u{a0}kWh", $this->read($meter));
        $this->assertMatchesRegularExpression('~<details.*#d64541.*rouge~s', $this->content($meter));
    }

    public function testACommandHiddenByTheUserIsLeftOut(): void
    {
        $meter = $this->meter([], ['tile' => ['parts' => [['part' => 'figure', 'of' => 'power'], ['part' => 'row', 'of' => 'day']]]]);
        $this->assertStringContainsString('Conso jour', $this->read($meter));
        $this->cmd($meter, 'day')->setIsVisible(0)->save();
        $this->assertStringNotContainsString('Conso jour', $this->read($meter));
    }

    public function testANewSystemHasItsTileFromItsQuantitiesAlone(): void
    {
        $meter = $this->meter([], ['sets' => [], 'commands' => []], [
            self::row('pv', 'kW', 'solar.power'), self::row('net', 'W', 'grid.power'), self::row('soc', '%', 'battery.level'),
            self::row('made', 'kWh', ['quantity' => 'solar.energy', 'per' => 'today']),
        ]);
        foreach (['pv' => 1.97, 'net' => -450, 'soc' => 30, 'made' => 3.94] as $logicalId => $value) {
            $this->cmd($meter, $logicalId)->setCache('value', $value);
        }
        $blank = "\u{a0}";
        $this->assertStringStartsWith(
            "Production|1,97{$blank}kW|Injection réseau|450{$blank}W|Batterie|30{$blank}%|Aujourd'hui|Production|3,94{$blank}kWh",
            $this->read($meter)
        );
        $this->assertStringContainsString('role="meter"', $this->content($meter));
    }

    public function testTheUsersOwnNameOfACommandIsOnTheTile(): void
    {
        $meter = $this->meter([], ['sets' => [], 'commands' => []], [self::row('pv', 'W', 'solar.power')]);
        $this->cmd($meter, 'pv')->setName('Mon toit')->save();
        $this->assertStringStartsWith('Mon toit|', $this->read($meter));
    }

    public function testNothingStandsTwice(): void
    {
        $meter = $this->meter([], ['tile' => ['parts' => [
            ['part' => 'figure', 'of' => 'power'], ['part' => 'row', 'of' => 'power'], ['part' => 'row', 'of' => ['day', 'month']],
        ]]]);
        $content = $this->content($meter);
        $this->assertSame(1, substr_count($content, 'data-jt-value="' . $this->cmd($meter, 'power')->getId() . '"'));
        $this->assertStringNotContainsString('Conso mois', $content);
    }

    public function testOldValuesAreGreyAndSaySoInWords(): void
    {
        $meter = $this->meter();
        $this->assertStringNotContainsString('jtOld', $this->content($meter));
        $meter->connection()->setCache('state', ['state' => 'unreachable']);
        $content = $this->content($meter);
        $this->assertStringContainsString('jtOld', $content);
        $this->assertMatchesRegularExpression('~role="status"[^>]*data-jt-last="\d*"><span class="jtWord">Injoignable~', $content);
    }

    public function testThePanelsOfAConnectionAreOneTile(): void
    {
        $meter = $this->meter([], ['sets' => [], 'commands' => []], [self::row('w', 'W', 'inverter.power')]);
        $this->cmd($meter, 'w')->setCache('value', 277);
        $read = $this->read($meter->connection());
        $this->assertStringStartsWith("Meter|277\u{a0}W", $read);
    }

    public function testAValueFromOutsideIsNoHtml(): void
    {
        $meter = $this->meter();
        $this->cmd($meter, 'color')->setCache('value', '<i onclick="x()">"');
        $this->assertStringNotContainsString('<i onclick', $this->content($meter));
    }

    public function testAFormerSettingStillCounts(): void
    {
        $catalogue = Catalogue::of($this->lab());
        $field = ['key' => 'tile', 'label' => 'Tile', 'type' => 'choice', 'default' => 'auto', 'choices' => ['auto' => 'A', 'core' => 'C']];
        $catalogue['equipment']['meter']['fields'][] = $field + ['formerly' => ['setting' => 'own', 'values' => ['0' => 'core']]];
        $this->useCatalogue($catalogue);
        $equipment = $this->equipment($this->connection());
        $equipment->setConfiguration('config', ['own' => false]);
        $this->assertSame('core', $equipment->config()['tile']);
        $equipment->setConfiguration('config', ['own' => true]);
        $this->assertSame('auto', $equipment->config()['tile']);
    }

    public function testWhatTheCatalogueHidesIsCreatedHidden(): void
    {
        $this->assertSame(0, $this->meter([], ['visible' => false])->getIsVisible());
    }

    public function testTheOnlyObjectIsTheParentOfANewConnection(): void
    {
        foreach ([[[], null], [['7'], '7'], [['7', '8'], null]] as $number => [$objects, $parent]) {
            Memory::$config['objects'] = $objects;
            $made = PageActions::addConnection(['name' => 'New ' . $number, 'backend' => $this->lab()]);
            $this->assertSame($parent, jeenergie::byId($made['id'])->getObject_id());
        }
    }

    public function testNumbersAreWrittenAsTheVectorsSay(): void
    {
        $vectors = json_decode(file_get_contents(__DIR__ . '/../../core/contract/vectors/figures.json'), true);
        foreach ($vectors['cases'] as [$value, $unit, $text]) {
            $this->assertSame($text, Figure::text($value, $unit));
        }
    }
}
