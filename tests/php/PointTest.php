<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Energy\Point;

final class PointTest extends JeenergieTestCase
{
    private function point(): jeenergie
    {
        $catalogue = Catalogue::of($this->lab());
        $info = ['type' => 'info', 'subType' => 'string', 'source' => 'x'];
        $catalogue['equipment']['meter']['fields'][] = ['key' => 'goalDays', 'label' => 'Jours', 'type' => 'list',
            'choices' => array_combine(range(1, 7), range(1, 7)), 'default' => ['1', '2']];
        $catalogue['equipment']['meter']['commands'] = [
            ['logicalId' => 'mode', 'name' => 'Mode', 'measures' => 'chargePoint.mode', 'map' => ['now' => 'Immédiat']] + $info,
            ['logicalId' => 'status', 'name' => 'État', 'measures' => 'chargePoint.state', 'map' => ['off' => 'Arrêt']] + $info,
            ['logicalId' => 'period', 'name' => 'Période', 'measures' => 'home.period',
                'map' => ['hc' => 'Heures creuses', 'peak' => 'Pointe mobile', 'base' => 'Base']] + $info,
            ['logicalId' => 'set', 'name' => 'Choisir', 'type' => 'action', 'subType' => 'select', 'does' => 'chargePoint.mode',
                'choices' => ['off' => 'Arrêt', 'now' => 'Immédiat'], 'value' => 'mode'],
        ];
        $this->useCatalogue($catalogue);
        return $this->equipment($this->connection());
    }

    public function testWithoutAChargePointThereIsNone(): void
    {
        $this->equipment($this->connection());
        $this->assertSame(['points' => []], Point::points());
        $this->assertSame(['id' => null, 'points' => []], Point::point([]));
    }

    public function testThePageGetsCommandsByWhatTheyDoAndWordsOfTheCatalogue(): void
    {
        $point = $this->point();
        $found = Point::point([]);
        $this->assertSame((string) $point->getId(), $found['id']);
        $this->assertSame([['id' => (string) $point->getId(), 'name' => $point->getName()]], $found['points']);
        $this->assertSame(['mode' => (string) $this->cmd($point, 'set')->getId()], (array) $found['commands']);
        $this->assertSame([['mode' => 'off', 'name' => 'Arrêt'], ['mode' => 'now', 'name' => 'Immédiat']], $found['modes']);
        $this->assertSame(['off' => 'Arrêt'], $found['states']);
        $this->assertContains((string) $this->cmd($point, 'status')->getId(), $found['infos']);
        $colors = Catalogue::quantities()['colors'];
        $this->assertSame(['name' => 'Heures creuses', 'color' => $colors['offPeak']], $found['periods']['hc']);
        $this->assertSame($colors['red'], $found['periods']['peak']['color']);
        $this->assertSame($colors['grid'], $found['periods']['base']['color']);
    }

    public function testTheDaemonIsAskedForOneChargePointAlone(): void
    {
        $point = $this->point();
        $this->startDaemon('{"id":null,"ok":true,"result":{"now":{"mode":"now"}}}');
        $this->assertSame(['now' => ['mode' => 'now']], Point::outlook(['id' => $point->getId()]));
    }

    public function testAnotherEquipmentIsNoChargePoint(): void
    {
        $point = $this->point();
        $connection = $point->connection();
        foreach ([$connection->getId(), 999999, 'x', null] as $id) {
            try {
                Point::outlook(['id' => $id]);
                $this->fail('nobody is asked about ' . json_encode($id));
            } catch (Exception $refusal) {
                $this->assertStringContainsString('Cette borne', $refusal->getMessage());
            }
        }
    }

    public function testTheDaysOfTheGoalAreKeptInItsSettings(): void
    {
        $point = $this->point();
        $this->assertSame(['days' => ['1', '7']], Point::goalDays(['id' => $point->getId(), 'days' => [7, '1', '9', 'x', ['1']]]));
        $this->assertSame(['1', '7'], jeenergie::byId($point->getId())->config()['goalDays']);
        $this->assertSame(['days' => []], Point::goalDays(['id' => $point->getId(), 'days' => 'all']));
    }

    public function testWhatTheCatalogueCallsItsPageIsThere(): void
    {
        foreach (Catalogue::backends() as $backend) {
            foreach (Catalogue::of($backend)['equipment'] as $type) {
                if (isset($type['page'])) {
                    $this->assertFileExists(dirname(__DIR__, 2) . '/desktop/php/' . $type['page'] . '.php');
                    $this->assertFileExists(dirname(__DIR__, 2) . '/mobile/html/' . $type['page'] . '.html');
                    $pages[] = $type['page'];
                }
            }
        }
        $this->assertSame(['point'], $pages ?? []);
    }
}
